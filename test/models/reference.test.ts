import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { catalog, weightsOf } from '../../src/weights/catalog.js';
import { run } from '../../src/cli/program.js';
import { count } from '../../src/graph/count.js';
import { buildClassifier, describeStages } from '../../src/models/describe.js';
import { backbones, findBackbone } from '../../src/models/registry.js';

afterEach(() => {
  jest.restoreAllMocks();
});

async function printed(...argv: string[]): Promise<string> {
  const lines: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line));
  jest.spyOn(console, 'error').mockImplementation((line: string) => lines.push(line));
  expect(await run(argv)).toBe(0);
  return lines.join('\n');
}

test('docs/models.md is what the code says; after a change: finetune models --markdown > docs/models.md', async () => {
  expect(await readFile('docs/models.md', 'utf8')).toBe(`${await printed('models', '--markdown')}\n`);
});

test('finetune models --json lists every backbone', async () => {
  const models = JSON.parse(await printed('models', '--json')) as { name: string }[];
  expect(models.map(({ name }) => name)).toEqual([...backbones.keys()]);
});

test('finetune models NAME --json gives one', async () => {
  expect(JSON.parse(await printed('models', 'resnet50', '--json'))).toMatchObject([
    {
      name: 'resnet50',
      params: 25557032,
      macs: 4089184256,
      resolution: 224,
      stages: [64, 256, 512, 1024, 2048].map((channels, i) => ({ tap: `c${i + 1}`, stride: 2 ** (i + 1), channels })),
      published: { top1: 76.1, top5: 92.9, params: 23.5e6, macs: 4.1e9, source: expect.any(String) },
    },
  ]);
});

test('for people a table, and of one model its feature maps', async () => {
  expect(await printed('models')).toMatch(/^ +params M .*\nrexnet_090 +4\.09 +4\.10 +0\.35 +0\.35 +224 +77\.2 +–$/m);
  expect(await printed('models', 'vgg16')).toMatch(
    /c3 {2}stride {2}8 {2}512 channels[\s\S]*architecture: arXiv:1409\.1556/,
  );
});

test.each(['resnet18', 'squeezenet1_1', 'nasnetamobile', 'vgg11'])(
  'the stages of %s add up to the whole',
  async (name) => {
    const backbone = findBackbone(name);
    const { logits } = buildClassifier(backbone);
    const stages = describeStages(backbone, logits);
    const sum = (key: 'params' | 'macs' | 'activationBytes'): number =>
      stages.reduce((total, stage) => total + stage[key], 0);
    expect({ params: sum('params'), macs: sum('macs'), activationBytes: sum('activationBytes') }).toEqual(
      count([logits]),
    );
    expect(stages.at(-1)!.name).toBe('classifier');
    expect(await printed('models', name)).toMatch(/^stage +out +params M +MACs M +memory MiB$/m);
  },
);

const TINY = 'model: {backbone: {name: tiny, stem: 8, head: 32, rows: [ROW, ROW, ROW, ROW]}}'.replaceAll(
  'ROW',
  '{operator: separable, channels: 8, stride: 2}',
);

test('finetune models my.yaml counts and times every stage, beside the nearest published one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'models-'));
  const file = join(folder, 'tiny.yaml');
  await writeFile(file, TINY);
  const text = await printed('models', file);
  const stages = ['conv_stem bn1', 'blocks.0', 'blocks.1', 'blocks.2', 'blocks.3', 'conv_head bn2', 'classifier'];
  for (const stage of [...stages, 'sum'])
    expect(text).toMatch(
      new RegExp(`^${stage} +(\\S+ +)?\\d+\\.\\d{3} +\\d+\\.\\d{3} +\\d+\\.\\d\\d +\\d+\\.\\d\\d$`, 'm'),
    );
  expect(text).toMatch(/^tiny +\S+ +\S+ +\S+ +\S+\nmobilenetv3_small_050 .*\nratio +\d/m); // the nearest in MACs
  await rm(folder, { recursive: true });
}, 60_000);

test('a family lists its members, each with the weights that can be had and where from', async () => {
  expect(await printed('models', 'mobilenetv2')).toMatch(/^mobilenetv2_100 .* hf: mobilenetv2_100\.ra_in1k$/m);
  for (const size of ['lite0', 'lite1', 'lite2'])
    expect(weightsOf(`tf_efficientnet_${size}`)).toMatchObject([
      { name: `efficientnet_${size}.google`, source: 'pip' },
    ]);
  expect(weightsOf('tf_mobilenetv2_100')).toMatchObject([{ name: 'ssdlite_mobilenet_v2.coco', source: 'npm' }]);
  expect(catalog.every(({ model }) => weightsOf(model).length > 0 || model === 'ssdlite_mobilenet_v2')).toBe(true);
});

test('--latency and --against want a model', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await run(['models', '--latency'])).toBe(2);
  expect(error.mock.calls.join('\n')).toMatch(/--latency and --against need a name or a recipe/);
});

test('an unknown name is a usage error with the nearest', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await run(['models', 'resnet5'])).toBe(2);
  expect(error.mock.calls.join('\n')).toMatch(
    /there is no backbone "resnet5".*E_MODEL_UNKNOWN\n.*did you mean "resnet50"\?/,
  );
});
