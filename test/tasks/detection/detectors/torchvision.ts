import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { createDetection } from '../../../../src/evaluate/createTask.js';
import type { Category, Sample } from '../../../../src/data/sample.js';
import type { Feed, Results } from '../../../../src/engine/engine.js';
import { inputsOf } from '../../../../src/graph/program.js';
import { xyxy } from '../../../../src/geometry/box.js';
import { isOp } from '../../../../src/graph/builder.js';
import { gradients } from '../../../../src/graph/grad.js';
import { ancestors } from '../../../../src/graph/rewrite.js';
import { createModel } from '../../../../src/tasks/model.js';
import type { DetectionOptions } from '../../../../src/tasks/detection/detectors.js';
import { openEngines } from '../../../engines.js';
import type { Param, Params } from '../../../../src/graph/params.js';
import { sizeOf } from '../../../../src/graph/shapes.js';
import type { Model } from '../../../../src/tasks/model.js';
import { fromTorch, torchShape, toTorch } from '../../../../src/weights/layout.js';
import { findNameMap } from '../../../../src/weights/names.js';
import { withEpsilon } from '../../../../src/weights/meaning.js';
import type { NameMap } from '../../../../src/weights/names/nameMap.js';
import type { RawWeights } from '../../../../src/weights/decode/raw.js';
import type { RawTensor } from '../../../../src/weights/decode/rawTensor.js';
import { uniform, values } from '../../../models/formula.js';

/** What the fixtures of torchvision's detectors have in common (test/fixtures/detectors/golden.py). */
export interface Summary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly rms: number;
  readonly samples: readonly number[];
}
export interface Case {
  readonly depth: number;
  readonly channels: number;
  readonly scales: Readonly<Record<string, number>>;
  /** Names and shapes of the published file. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly losses: Readonly<Record<string, number>>;
  readonly gradients: Readonly<Record<string, Summary>>;
  readonly detections: readonly {
    readonly boxes: readonly (readonly number[])[];
    readonly scores: readonly number[];
    readonly labels: readonly number[];
    readonly count: number;
  }[];
}
export interface Fixture<C extends Case> {
  readonly size: readonly [number, number];
  readonly batch: number;
  readonly columns: number;
  readonly targets: readonly { readonly boxes: readonly (readonly number[])[]; readonly labels: readonly number[] }[];
  readonly cases: readonly C[];
}

export const readFixture = <C extends Case>(name: string): Fixture<C> =>
  JSON.parse(readFileSync(new URL(`../../../fixtures/detectors/${name}`, import.meta.url), 'utf8')) as Fixture<C>;

/** A file with the published names and shapes, and values made by the formula. */
function publishedFile({ state, scales }: Case): Map<string, RawTensor> {
  return new Map(
    Object.entries(state).map(([name, shape]): [string, RawTensor] => {
      const isNorm = name.replace(/[^.]*$/, 'running_mean') in state;
      const scale = Object.entries(scales).find(([part]) => name.includes(`${part}.weight`))?.[1] ?? 1;
      return [name, { dtype: 'float32', shape, data: values(name, shape, isNorm).map((value) => value * scale) }];
    }),
  );
}

const mapFor = (tensors: ReadonlyMap<string, RawTensor>): NameMap =>
  findNameMap({ layout: 'torch', tensors } as RawWeights)!;

/** The published weights under our names. Throws if a parameter has no value, or a value no parameter. */
function publishedParams(model: Model, published: Case): Params {
  const tensors = publishedFile(published);
  const named = mapFor(tensors).apply(tensors, 'published.pth');
  const { params } = withEpsilon(named, model.backbone.style.epsilon).file;
  expect([...params.keys()].sort()).toEqual([...model.parameters.keys()].sort());
  return new Map(
    [...model.parameters].map(([name, { kind, shape }]): [string, Param] => {
      const { shape: found, data } = params.get(name)!;
      expect([name, found]).toEqual([name, torchShape(kind, shape)]);
      return [name, fromTorch(kind, { shape: found, data })];
    }),
  );
}

/** Pixels 0…255 of the fixtures' images. */
const fixtureImages = (batch: number, [height, width]: readonly [number, number]): Float32Array =>
  uniform('image', batch * height * width * 3).map((value) => (value * 0.5 + 0.5) * 255);

export function expectSummary(what: string, ours: Float32Array, golden: Summary, tolerance = 1e-3): void {
  expect([what, ours.length]).toEqual([what, sizeOf(golden.shape)]);
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= tolerance * (golden.rms + Math.abs(b));
  const samples = golden.samples.map((_, i) => ours[(i * 2654435761) % ours.length]!);
  const wrong = golden.samples.flatMap((value, i) => (near(samples[i]!, value) ? [] : [[samples[i], value]]));
  const mean = ours.reduce((sum, value) => sum + value, 0) / ours.length;
  expect({ what, wrong, mean: near(mean, golden.mean) }).toEqual({ what, wrong: [], mean: true });
}

/** Our name of each parameter and the published one. */
function ourNames({ state }: Case): Map<string, string> {
  const names = Object.entries(state).map(
    ([name, shape]) => [name, { dtype: 'float32', shape, data: new Float32Array(0) }] as const,
  );
  const map = mapFor(new Map(names));
  return new Map(
    Object.entries(state).map(([name, shape]) => {
      const one = new Map<string, RawTensor>([[name, { dtype: 'float32', shape, data: new Float32Array(0) }]]);
      return [[...map.apply(one, '').params.keys()][0]!, name];
    }),
  );
}

const sampleOf = ({ boxes, labels }: Fixture<Case>['targets'][number], shift: number): Sample =>
  ({
    file: 'fixture',
    boxes: xyxy(boxes.flat()),
    classes: labels.map((label) => label + shift),
    ignore: labels.map(() => false),
  }) as unknown as Sample;

const engine = (await openEngines()).at(-1)!;
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** Runs a detector with the published weights on the fixture's images and targets. Our class k is the published label k − shift. */
export async function runPublished<C extends Case>(
  { size, batch, targets }: Fixture<C>,
  golden: C,
  options: DetectionOptions,
  shift: number,
): Promise<{ results: Results; expectGradients: () => void; expectDetections: () => void }> {
  const task = createDetection(options);
  const categories = Array.from(
    { length: options.numClasses },
    (_, i) => ({ id: i + 1, name: `${i}` }) as unknown as Category,
  );
  const model = createModel(task, { categories, seed: 1 });
  const params = publishedParams(model, golden);
  const { outputs, loss } = task.build({ batch, size, trainBatchNorm: () => false });
  const { total, parts } = loss();
  const names = ourNames(golden);
  const watched = Object.keys(golden.gradients).map((published) => {
    const [name] = [...names].find(([, theirs]) => theirs === published)!;
    return { published, name };
  });
  const leaves = ancestors([total]).filter((node) => isOp(node, 'param'));
  const wrt = watched.map(({ name }) => leaves.find((node) => node.attrs.name === name)!.outputs[0]!);
  const dparams = gradients(total, wrt);
  const program = { outputs: { ...outputs, ...parts, ...Object.fromEntries(dparams.map((d, i) => [`d${i}`, d])) } };
  const session = await engine.compile({ run: program });
  await session.write(params);
  const encoded = targets.map((target) => task.encode(sampleOf(target, shift)));
  const feeds = inputsOf(program).map(({ name, dtype }): [string, Feed] => [
    name,
    name === 'image' ? fixtureImages(batch, size) : arrays[dtype].from(encoded.flatMap((own) => [...own[name]!])),
  ]);
  const results = await session.run('run', Object.fromEntries(feeds));
  session.dispose();
  return {
    results,
    expectGradients: () => {
      for (const [i, { published, name }] of watched.entries()) {
        const { kind, shape } = model.parameters.get(name)!;
        const { data } = toTorch(kind, { shape, data: results[`d${i}`]! });
        // A ReLU whose input is zero but for rounding lets a gradient through or does not: 1.4e-3 in one layer, by the order in which sums are added.
        expectSummary(published, data, golden.gradients[published]!, 3e-3);
      }
    },
    expectDetections: () => {
      const placement = { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
      const origin = { imageId: 0, placement, originalWidth: size[1], originalHeight: size[0] };
      const found = task.decode(results, [origin, origin]);
      for (const [i, expected] of golden.detections.entries()) {
        expect(found[i]).toHaveLength(expected.count);
        const best = found[i]!.slice(0, expected.labels.length);
        expect(best.map(({ classIndex }) => classIndex - shift)).toEqual(expected.labels);
        for (const [k, { box, score }] of best.entries()) {
          expect(Math.abs(score - expected.scores[k]!)).toBeLessThan(1e-4);
          expect(Math.max(...box.map((value, j) => Math.abs(value - expected.boxes[k]![j]!)))).toBeLessThan(0.02);
        }
      }
    },
  };
}
