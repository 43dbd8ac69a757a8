import type { Feeds, Results } from '../engine/engine.js';
import type { Parity } from '../modelFolder/card.js';
import type { ProgressEvent } from '../progress.js';
import type { Evaluator } from '../tasks/evaluator.js';
import type { TaskScore } from '../evaluate/createTask.js';
import type { Running } from './format.js';
import type { ReadImage } from './images.js';

export interface CompareOptions {
  /** Runs the program `evaluate` of the checkpoint, and `written`, the one that was exported. */
  readonly checkpoint: Running;
  readonly exported: Running;
  /** What the exported program is fed with for an image. */
  readonly feed: (pixels: Float32Array) => Feeds;
  /** What the files compute of the outputs of the program. */
  readonly finish?: ((outputs: Results) => Results) | undefined;
  readonly images: AsyncIterable<ReadImage>;
  /** The outputs that are compared value by value; default: all. */
  readonly compared?: readonly string[] | undefined;
  /** Number of images, for progress. */
  readonly total: number;
  /** Make evaluators for the outputs of the two, if the images have annotations. */
  readonly evaluators: Readonly<Record<'checkpoint' | 'exported', () => Evaluator<TaskScore>>> | undefined;
  /** Whether the net itself chooses boxes: then one that differs by a rounding can be another box. */
  readonly chooses: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface Comparison {
  readonly parity: Parity;
  /** The image and the output with the largest difference. */
  readonly worst: { readonly pixels: Float32Array; readonly output: string };
}

/** The name of the exported program on the engine of the checkpoint. */
export const WRITTEN = 'written';

/** Runs the checkpoint and the exported model on the same images, and compares outputs and scores. */
export async function compareOutputs(options: CompareOptions): Promise<Comparison> {
  const { checkpoint, exported, feed, images, compared, total, evaluators, chooses, signal, onProgress } = options;
  const scores = evaluators && { checkpoint: evaluators.checkpoint(), exported: evaluators.exported() };
  const differences: ReadonlyMap<string, number>[] = [];
  const largest = new Map<string, number>();
  let worst: Comparison['worst'] & { readonly share: number } = { share: -1, pixels: new Float32Array(), output: '' };
  for await (const { pixels, sample } of images) {
    signal?.throwIfAborted();
    const fed = feed(pixels);
    const computed = await checkpoint.run(WRITTEN, fed);
    const expected = options.finish?.(computed) ?? computed;
    const found = await exported.run('evaluate', fed);
    const one = new Map<string, number>();
    for (const [name, values] of Object.entries(expected)) {
      if (compared && !compared.includes(name)) continue;
      const { difference, most } = compare(found[name]!, values);
      one.set(name, difference);
      largest.set(name, Math.max(largest.get(name) ?? 0, most));
      const share = shareOf(difference, most);
      if (share > worst.share) worst = { share, pixels, output: name };
    }
    differences.push(one);
    if (sample && scores) {
      const outputs = await checkpoint.run('evaluate', { image: pixels });
      scores.checkpoint.add(scores.checkpoint.read(outputs, [sample]));
      scores.exported.add(scores.exported.read(found, [sample]));
    }
    onProgress?.({ phase: 'evaluate', done: differences.length, total: Math.max(total, differences.length) });
  }
  const shares = differences.map((one) =>
    Math.max(...[...one].map(([name, difference]) => shareOf(difference, largest.get(name)!))),
  );
  const parity = {
    images: differences.length,
    maxDifference: chooses ? medianOf(shares) : Math.max(...shares),
    metric: scores ? metricOf(scores) : null,
    engines: { checkpoint: checkpoint.engine, exported: exported.engine },
  };
  return { parity, worst };
}

type Scores = Readonly<Record<'checkpoint' | 'exported', Evaluator<TaskScore>>>;

function metricOf(scores: Scores): Parity['metric'] {
  const [checkpoint, exported] = [mainNumber(scores.checkpoint), mainNumber(scores.exported)];
  return { name: checkpoint.name, checkpoint: checkpoint.value, exported: exported.value };
}

/** The number by which models of a task are compared. */
export function mainNumber(evaluator: Evaluator<TaskScore>): { readonly name: string; readonly value: number } {
  const { metric } = evaluator.finish();
  switch (metric.metric) {
    case 'coco':
      return { name: 'AP', value: metric.AP };
    case 'classification':
      return { name: 'top1', value: metric.top1 };
    case 'icdar':
      return { name: 'hmean', value: metric.hmean };
  }
}

/** The largest difference, and the largest value. A value that is not a number differs infinitely from any other. */
export function compare(found: Float32Array, expected: Float32Array): { difference: number; most: number } {
  if (found.length !== expected.length) return { difference: Infinity, most: 1 };
  let [difference, most] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    if (Object.is(a, b)) continue;
    const off = Math.abs(a - b);
    if (!(off <= difference)) difference = Number.isNaN(off) ? Infinity : off;
  }
  for (const value of expected) if (Math.abs(value) > most) most = Math.abs(value);
  return { difference, most };
}

export const shareOf = (difference: number, most: number): number =>
  difference === 0 ? 0 : most === 0 ? Infinity : difference / most;

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
