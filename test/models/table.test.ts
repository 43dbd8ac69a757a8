import { expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { parametersOf } from '../../src/graph/program.js';
import { FinetuneError } from '../../src/errors.js';
import { createGraph, input } from '../../src/graph/builder.js';
import { fold } from '../../src/graph/fold.js';
import type { Value } from '../../src/graph/spec.js';
import type { Backbone } from '../../src/models/backbone.js';
import { buildTrunk } from '../../src/models/detector.js';
import { describe as summarise } from '../../src/models/describe.js';
import { findBackbone } from '../../src/models/registry.js';
import type { BackboneChoice } from '../../src/models/table.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { resolvedRecipeText } from '../../src/recipe/resolved.js';
import { formulaParams, uniform } from './formula.js';

/** Table 2 of Sandler et al. 2018 (arXiv:1801.04381), between the first and the last convolution. */
const ROWS = `
      - {operator: bottleneck, expansion: 1, channels: 16}
      - {operator: bottleneck, expansion: 6, channels: 24, repeats: 2, stride: 2}
      - {operator: bottleneck, expansion: 6, channels: 32, repeats: 3, stride: 2}
      - {operator: bottleneck, expansion: 6, channels: 64, repeats: 4, stride: 2}
      - {operator: bottleneck, expansion: 6, channels: 96, repeats: 3}
      - {operator: bottleneck, expansion: 6, channels: 160, repeats: 3, stride: 2}
      - {operator: bottleneck, expansion: 6, channels: 320}`;
const recipeText = (rows: string): string =>
  `task: detection\ndata: {format: synthetic}\nmodel:\n  backbone:\n    name: mine\n    rows:${rows}\n`;

const backboneOf = async (rows: string): Promise<BackboneChoice> =>
  (await parseRecipe(recipeText(rows), 'mine.yaml')).model.backbone;

async function errorsOf(rows: string): Promise<string> {
  const error: unknown = await parseRecipe(recipeText(rows), 'mine.yaml').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FinetuneError);
  return (error as FinetuneError).message;
}

/** Logits and maps with weights made from their names. */
async function outputs(backbone: Backbone): Promise<Readonly<Record<string, Float32Array>>> {
  const graph = createGraph();
  const at = { graph, style: backbone.style, trainBatchNorm: () => false };
  const taps = backbone.features(input(graph, 'image', [1, 64, 64, 3]), at);
  const values: Record<string, Value> = { ...taps, logits: backbone.classifier(taps, at, 10) };
  const params = formulaParams(parametersOf({ all: { outputs: values } }));
  const folded = fold(Object.values(values));
  const program = { outputs: Object.fromEntries(Object.keys(values).map((key, i) => [key, folded.roots[i]!])) };
  const all = new Map([...params, ...folded.derive(params)]);
  const kept = new Map([...all].filter(([name]) => parametersOf({ program }).has(name)));
  const session = await compile({ program }, await openBackend(), kept);
  try {
    return await session.run('program', { image: uniform('image', 64 * 64 * 3) });
  } finally {
    session.dispose();
  }
}

test("MobileNetV2's own table gives mobilenetv2_100: its counts, and with the same weights its outputs", async () => {
  const [mine, published] = [findBackbone(await backboneOf(ROWS)), findBackbone('mobilenetv2_100')];
  const { params, macs, stages } = summarise(published);
  expect(summarise(mine)).toMatchObject({ name: 'mine', params, macs, stages });
  expect(mine.stages).toEqual(published.stages);
  expect(await outputs(mine)).toEqual(await outputs(published));
});

test('squeeze-excite, mixed kernels, separable rows and activations are those of the published tables', async () => {
  const rows = (line: string): string =>
    `\n      - ${line}${`\n      - {operator: separable, channels: 32, stride: 2}`.repeat(4)}`;
  const taps = async (line: string) =>
    buildTrunk(await backboneOf(rows(line)), { batch: 1, size: [64, 64], trainBatchNorm: () => false }).taps;
  const names = async (line: string): Promise<string[]> => [
    ...parametersOf({ all: { outputs: { c5: (await taps(line)).c5 } } }).keys(),
  ];
  const mixed = await names('{operator: bottleneck, expansion: 4, channels: 16, se: 0.25, kernel: [3, 5]}');
  expect(mixed).toContain('backbone.blocks.0.0.se.conv_reduce.weight');
  expect(mixed).toContain('backbone.blocks.0.0.conv_dw.1.weight');
  expect(await names('{operator: conv, channels: 16, activation: swish}')).toContain('backbone.blocks.0.0.conv.weight');
});

test('a resolved recipe with a table is the recipe again', async () => {
  const recipe = await parseRecipe(recipeText(ROWS), 'mine.yaml');
  expect(await parseRecipe(resolvedRecipeText(recipe), 'resolved.yaml')).toEqual(recipe);
});

test('what is wrong with a table is shown where it stands', async () => {
  const wrong = await errorsOf(`
      - {operator: botleneck, channels: 16}
      - {operator: conv, channels: 0, kernel: 4, step: 2}`);
  expect(wrong).toMatch(
    /mine\.yaml:7:20 .*"model\.backbone\.rows\.0\.operator" must be one of conv, separable, bottleneck/,
  );
  expect(wrong).toMatch(/did you mean "bottleneck"\?/);
  expect(wrong).toMatch(/mine\.yaml:8:36 .*"model\.backbone\.rows\.1\.channels" must be a whole number/);
  expect(wrong).toMatch(/"model\.backbone\.rows\.1\.kernel" must be an odd number/);
  expect(wrong).toMatch(/unknown key "model\.backbone\.rows\.1\.step"/);
});

test('four rows reduce, so that the taps reach stride 32', async () => {
  expect(await errorsOf(ROWS.replaceAll(', stride: 2', ''))).toMatch(
    /mine\.yaml:6:5 .*the last feature map has stride 2; c5 needs 32.*E_RECIPE_CONFLICT[\s\S]*give stride 2 to 4 more/,
  );
  const fifth = ROWS.replace('channels: 320', 'channels: 320, stride: 2');
  expect(await errorsOf(fifth)).toMatch(/mine\.yaml:13:\d+ .*has stride 64/);
  const idle = ROWS.replace(
    'operator: bottleneck, expansion: 1',
    'operator: conv, expansion: 1, se: 0.5, kernel: [3, 5]',
  );
  expect(await errorsOf(idle)).toMatch(
    /rows\.0\.expansion" has no effect[\s\S]*rows\.0\.se" has[\s\S]*only depthwise convolutions can mix several/,
  );
});

test('a misspelt name still finds the nearest', async () => {
  const text = 'task: detection\ndata: {format: synthetic}\nmodel: {backbone: mobilnetv2_100}\n';
  await expect(parseRecipe(text, 'mine.yaml')).rejects.toThrow(/did you mean "mobilenetv2_100"\?/);
});
