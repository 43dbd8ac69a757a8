import type { Feeds } from '../engine/engine.js';
import { randomStream } from '../random.js';
import type { Model } from '../tasks/model.js';
import type { Programs } from './programs.js';

export interface LearnOptions {
  /** Steps of training; default: 60. */
  readonly steps?: number;
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Called after each step with the loss. */
  readonly onStep?: (step: number, loss: number) => void;
  readonly signal?: AbortSignal;
}

/** Trains on the features of views, and the places of their classes. */
export async function train(
  features: readonly Readonly<Record<string, Float32Array>>[],
  labels: readonly number[],
  { session, batch, features: names }: Programs,
  { model, steps = 60, learningRate = 0.001, onStep, signal }: LearnOptions & { readonly model: Model },
): Promise<void> {
  const classes = model.categories.length;
  const random = randomStream(1, 'personalise');
  for (let step = 1; step <= steps; step++) {
    signal?.throwIfAborted();
    const rows = drawRows(labels.length, batch, random);
    const feeds: Record<string, Feeds[string]> = { lr: Float32Array.of(learningRate) };
    for (const [name, length] of names) {
      const values = new Float32Array(batch * length);
      for (const [i, row] of rows.entries()) values.set(features[row]![name]!, i * length);
      feeds[name] = values;
    }
    const targets = new Float32Array(batch * classes);
    for (const [i, row] of rows.entries()) targets[i * classes + labels[row]!] = 1;
    const { loss } = await session.run('train', { ...feeds, targets });
    onStep?.(step, loss![0]!);
  }
}

/** Rows of a batch: all of them where they fit, else some, none twice. */
function drawRows(count: number, batch: number, random: ReturnType<typeof randomStream>): number[] {
  const rows = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < batch && count > batch; i++) {
    const other = random.integer(i, count);
    [rows[i], rows[other]] = [rows[other]!, rows[i]!];
  }
  return rows.slice(0, batch);
}
