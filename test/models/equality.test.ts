import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { compileOnnx } from '../../src/engine/onnxRuntime/session.js';
import type { Params } from '../../src/graph/params.js';
import { parametersOf, type Program, type Programs } from '../../src/graph/program.js';
import { createGraph, input } from '../../src/graph/builder.js';
import { count } from '../../src/graph/count.js';
import { fold } from '../../src/graph/fold.js';
import type { Value } from '../../src/graph/spec.js';
import type { Backbone } from '../../src/models/backbone.js';
import { findBackbone } from '../../src/models/registry.js';
import { torchShape } from '../../src/weights/layout.js';
import { formulaParams, publishedName, uniform } from './formula.js';

interface Summary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly rms: number;
  readonly samples: readonly number[];
}
type Mode = 'inference' | 'training';
interface Golden extends Readonly<Record<Mode, Readonly<Record<string, Summary>>>> {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly resolution?: number;
  readonly digest: string;
  readonly size: number;
  readonly batch: number;
}

const RELATIVE = 1e-3;
/** A BatchNorm in training divides by the deviation of the few values of a test's batch, which enlarges rounding errors. */
const ABSOLUTE = { inference: 1e-4, training: 3e-4 } as const;
const CLASSES = 10;
const slow = process.env.FINETUNE_SLOW === '1';

const folder = new URL('../fixtures/backbones/', import.meta.url);
const families = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file): [string, Readonly<Record<string, Golden>>] => {
    const { models } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { models: Record<string, Golden> };
    return [file.replace('.json', ''), models];
  });

/** Every feature map and the logits. */
function build(backbone: Backbone, { size, batch }: Golden, training: boolean): Record<string, Value> {
  const graph = createGraph();
  const at = { graph, style: backbone.style, trainBatchNorm: () => training };
  const taps = backbone.features(input(graph, 'image', [batch, size, size, 3]), at);
  return { ...taps, logits: backbone.classifier(taps, at, CLASSES) };
}

function expectEqual(ours: Float32Array, golden: Summary, mode: Mode, what: string): void {
  const scale = Math.max(1, golden.rms);
  const mean = ours.reduce((sum, value) => sum + value, 0) / ours.length;
  const samples = golden.samples.map((_, i) => ours[(i * 2654435761) % ours.length]!);
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= ABSOLUTE[mode] * scale + RELATIVE * Math.abs(b);
  const wrong = golden.samples.filter((value, i) => !near(samples[i]!, value)).length;
  expect({ what, wrong, mean: near(mean, golden.mean) ? golden.mean : mean }).toEqual({
    what,
    wrong: 0,
    mean: golden.mean,
  });
}

const backend = await openBackend();

async function compare(name: string, golden: Golden): Promise<void> {
  const backbone = findBackbone(name);
  const inference = build(backbone, golden, false);
  const training = build(backbone, golden, true);
  const folded = fold(Object.values(inference));
  const inferred = Object.fromEntries(Object.keys(inference).map((key, i) => [key, folded.roots[i]!]));
  const programs: Programs = {
    inference: { outputs: inference },
    training: { outputs: training },
    ...(slow && { folded: { outputs: inferred } }), // ONNX Runtime computes the folded network in every case
  };
  const params = formulaParams(parametersOf({ all: programs.inference! }));
  const session = await compile(programs, backend);
  try {
    const derived = folded.derive(params);
    await session.write(new Map([...params, ...(slow ? derived : [])]));
    const image = uniform('image', golden.batch * golden.size ** 2 * 3);
    for (const program of Object.keys(programs)) {
      const results = await session.run(program, { image });
      const mode = program === 'training' ? 'training' : 'inference';
      for (const [key, summary] of Object.entries(golden[mode])) {
        expect([key, inference[key]!.shape]).toEqual([key, summary.shape]);
        expect(summary.rms).toBeGreaterThan(0.02); // otherwise values below the tolerance would prove nothing
        expectEqual(results[key]!, summary, mode, `${name} ${program} ${key}`);
      }
    }
    const { logits } = await session.run('inference', { image });
    await compareOnnx({ outputs: { logits: inferred.logits! } }, new Map([...params, ...derived]), image, logits!);
  } finally {
    session.dispose();
  }
}

/** ONNX Runtime gives the same logits for the folded network as the engine that trains for the whole one. */
async function compareOnnx(folded: Program, known: Params, image: Float32Array, expected: Float32Array): Promise<void> {
  const parameters = parametersOf({ folded });
  const values = new Map([...known].filter(([name]) => parameters.has(name)));
  const session = await compileOnnx({ folded }, values, { threads: 1 });
  try {
    const { logits } = await session.run('folded', { image });
    const largest = Math.max(...expected.map(Math.abs));
    expect(Math.max(...expected.map((value, i) => Math.abs(value - logits![i]!))) / largest).toBeLessThan(1e-4);
  } finally {
    session.dispose();
  }
}

/** sha256 over the sorted lines "name [shape]", in PyTorch's layout. */
function digest(backbone: Backbone, golden: Golden): string {
  const parameters = parametersOf({ all: { outputs: build(backbone, golden, false) } });
  const lines = [...parameters].map(
    ([name, { kind, shape }]) => `${publishedName(name)} [${torchShape(kind, shape).join()}]`,
  );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
}

/** Number of parameters above which a network is only tested with FINETUNE_SLOW=1; the smallest of its family may have more. */
const LIMIT = 1e6;
const LIMIT_OF_SMALLEST = 15e6;
const sizesOf = (models: Readonly<Record<string, Golden>>): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(models).map(([name, golden]) => [
      name,
      count(Object.values(build(findBackbone(name), golden, false))).params,
    ]),
  );

describe.each(families)('%s', (_, models) => {
  test.each(Object.entries(models))('%s has the published parameters and pre-processing', (name, golden) => {
    const backbone = findBackbone(name);
    expect(digest(backbone, golden)).toBe(golden.digest);
    if (!golden.mean) return;
    const { mean, std, resolution } = backbone;
    expect(resolution).toBe(golden.resolution);
    for (const [ours, theirs] of [
      [mean, golden.mean],
      [std, golden.std!],
    ] as const)
      for (const [i, value] of ours.entries()) expect(value).toBeCloseTo(255 * theirs[i]!, 8);
  });

  const sizes = sizesOf(models);
  const limit = Math.max(LIMIT, Math.min(LIMIT_OF_SMALLEST, ...sizes.values()));
  for (const [name, golden] of Object.entries(models)) {
    const run = slow || sizes.get(name)! <= limit ? test : test.skip;
    run(`${name} equals the reference`, () => compare(name, golden), 300_000);
  }
});
