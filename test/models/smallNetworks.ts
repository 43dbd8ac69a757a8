import { expect } from '@jest/globals';
import { readModelOptions } from '../../src/api/modelOptions.js';
import type { Feed, Feeds, Results } from '../../src/engine/engine.js';
import { createClassification, createDetection, createText } from '../../src/evaluate/createTask.js';
import { fold } from '../../src/graph/fold.js';
import { initialValues } from '../../src/graph/init.js';
import type { Params } from '../../src/graph/params.js';
import { inputsOf, parametersOf, type Program } from '../../src/graph/program.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { Task } from '../../src/tasks/task.js';
import { formulaParams, uniform } from './formula.js';
import { tinyTable } from '../tinyBackbone.js';

/** Small networks of every kind, folded as for inference, for those who write them in another format. */

export interface SmallNetwork {
  readonly task: Task;
  readonly size: readonly [number, number];
}

/** Images per batch. */
const BATCH = 2;

/** The network as a program for inference, with or without its loss, and values of its parameters. */
export function buildProgram(
  { task, size }: SmallNetwork,
  { withLoss, batch = BATCH }: { readonly withLoss: boolean; readonly batch?: number },
): { program: Program; params: Params } {
  const { outputs, loss } = task.build({ batch, size, trainBatchNorm: () => false });
  const wanted = { ...outputs, ...(withLoss && { loss: loss().total }) };
  const { roots, derive } = fold(Object.values(wanted));
  const program = { outputs: Object.fromEntries(Object.keys(wanted).map((name, i) => [name, roots[i]!])) };
  const parameters = parametersOf({ all: { outputs: wanted } });
  // The formula's values grow from layer to layer where there is no BatchNorm.
  const hasNorm = [...parameters.values()].some(({ role }) => role === 'mean');
  const given = hasNorm
    ? formulaParams(parameters)
    : new Map([...parameters].map(([name, attrs]) => [name, initialValues(attrs, 1)]));
  const all = new Map([...given, ...derive(given)]);
  const read = parametersOf({ program });
  return { program, params: new Map([...all].filter(([name]) => read.has(name))) };
}

export function feedsOf({ task, size }: SmallNetwork, program: Program): Feeds {
  const blank = task.blank(size);
  const entries = inputsOf(program).map(({ name, shape }): [string, Feed] => {
    if (name === 'image') return [name, uniform('image', sizeOf(shape), 20, 120)];
    const one = blank[name]!;
    const rows = one instanceof Float32Array ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape));
    for (let i = 0; i < BATCH; i++) rows.set(one, i * one.length);
    return [name, rows];
  });
  return Object.fromEntries(entries);
}

/** Largest difference of two outputs, as a share of the largest value. */
function difference(ours: Float32Array, theirs: Float32Array): number {
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(ours[i]! - value)), 0) / largest;
}

/** Fails unless the outputs are the same, and what they decode to. */
export function expectSame({ task, size }: SmallNetwork, ours: Results, theirs: Results): void {
  expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  for (const [name, values] of Object.entries(theirs)) {
    expect([name, difference(ours[name]!, values) < 1e-4]).toEqual([name, true]);
    expect([name, ours[name]!.length]).toEqual([name, values.length]);
  }
  const origins = Array.from({ length: BATCH }, (_, imageId) => ({
    imageId,
    placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
    originalWidth: size[1],
    originalHeight: size[0],
  }));
  const [found, expected] = [ours, theirs].map((outputs) => task.decode(outputs, origins).map(listed));
  found!.forEach((own, i) => {
    expect(own).toHaveLength(expected![i]!.length);
    // Predictions whose scores are almost equal may change places.
    expect(expected![i]!.filter((one) => !own.some((other) => isNear(one, other)))).toEqual([]);
  });
}

/** The numbers of each prediction for one image. */
function listed(prediction: unknown): number[][] {
  const numbers = (value: unknown): number[] =>
    typeof value === 'number' ? [value] : typeof value === 'object' ? Object.values(value!).flatMap(numbers) : [];
  return Array.isArray(prediction) ? prediction.map(numbers) : [numbers(prediction)];
}
const isNear = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= 1e-3 * (1 + Math.abs(value)));

/** Options that make the heads small. */
const small: Readonly<Record<string, object>> = {
  ssd: { backbone: 'vgg16_caffe' },
  retinanet: { channels: 16 },
  fcos: { channels: 16 },
  // Among a thousand proposals, two have scores so close that rounding decides which comes first.
  fasterRcnn: { channels: 16, units: 32, proposals: 100 },
};

/** A detector with this head. */
export function smallDetector(head: string): SmallNetwork {
  const size = head === 'ssd' ? ([300, 300] as const) : ([128, 160] as const);
  const read = readModelOptions({ head, backbone: tinyTable, classes: 3, size, ...small[head] });
  if (read.task !== 'detection') throw new Error('a head belongs to a detector');
  return { task: createDetection(read.options), size };
}

export function smallClassifier(): SmallNetwork {
  const read = readModelOptions({ task: 'classification', backbone: tinyTable, classes: 5, size: [64, 96] });
  if (read.task !== 'classification') throw new Error('no classifier');
  return { task: createClassification(read.options), size: [64, 96] };
}

export function textDetector(head: 'craft' | 'craft-lite'): SmallNetwork {
  const size = [64, 96] as const;
  const task = createText({
    head,
    backbone: head === 'craft' ? 'vgg16_bn' : 'tf_mobilenetv2_100',
    loss: 'hardNegatives',
    negatives: 3,
    size,
    evaluateSize: size,
    thresholds: { text: 0.7, lowText: 0.4, link: 0.4, polygons: true },
    protocol: 'iou',
  });
  return { task, size };
}
