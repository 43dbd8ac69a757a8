import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { withTemporaryFolder } from '../files/folders.js';
import { median } from '../evaluate/median.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { planRun } from '../run/plan.js';
import { withTrain } from '../recipe/withTrain.js';
import { withRecipe, type OpenedRecipe } from '../run/openRecipe.js';
import { taskOptions } from '../run/taskOptions.js';
import type { TrainOptions } from '../train/options.js';
import { openTrainer } from '../train/openTrainer.js';
import { trainOptions } from '../run/trainOptions.js';

export interface LrPoint {
  /** Learning rate of a step, and the loss before that step. */
  readonly lr: number;
  readonly loss: number;
  /** Exponential mean of the losses so far, bias corrected. */
  readonly smooth: number;
}

export interface LrFindResult {
  readonly points: readonly LrPoint[];
  /** A tenth of the rate at which the loss is lowest; absent if the loss fell at no rate. */
  readonly suggestion?: {
    readonly lr: number;
    /** The same as `train.lr.value`, which is meant for `train.lr.perBatch` images. */
    readonly value: number;
  };
}

export interface LrFindOptions {
  readonly steps?: number;
  readonly from?: number;
  readonly to?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The search ends when the smoothed loss is this many times its lowest value. */
const LOST = 4;
const SMOOTHING = 0.9;
/** Standard errors by which the smoothed loss must fall. If a hundred losses only scatter, the lowest one is two or
 *  three below the mean. */
const SURE = 4;

/** Trains with a rate that grows from step to step until the loss explodes, and leaves nothing behind: the
 *  learning-rate range test of Smith 2017 (arXiv:1506.01186). */
export const findLr = (asked: Recipe, { signal, onProgress, ...range }: LrFindOptions = {}): Promise<LrFindResult> =>
  withRecipe(asked, { signal, onProgress }, async (opened) => {
    const hooks = { signal, onProgress };
    return withTemporaryFolder(join(tmpdir(), 'finetune-lr-'), async (directory) => {
      const untimed = { ...opened, recipe: withTrain(asked, { time: null }) };
      const planned = await planRun(untimed, { directory, ...hooks });
      const { recipe } = planned;
      const options = trainOptions(recipe, taskOptions(recipe).images, directory);
      const points = await raiseRate(planned, options, { ...range, ...hooks });
      const lr = suggestLr(points);
      const { perBatch } = recipe.train.lr;
      return { points, ...(lr !== undefined && { suggestion: { lr, value: (lr * perBatch) / options.batch } }) };
    });
  });

/** Takes steps at rates that grow by a constant factor, until the loss explodes or all rates were tried. */
async function raiseRate(
  { model: start, data, backend }: OpenedRecipe,
  options: TrainOptions,
  { steps = 100, from = 1e-5, to = 10, signal, onProgress }: LrFindOptions,
): Promise<LrPoint[]> {
  const points: LrPoint[] = [];
  const trainer = await openTrainer(start, data.train, backend, options);
  const { state } = trainer;
  let sum = 0;
  try {
    for (; ; state.epoch++, state.batch = 0) {
      for await (const batch of trainer.batches({ signal })) {
        const lr = from * (to / from) ** (points.length / (steps - 1));
        const { results } = await trainer.step(batch, lr);
        const loss = results['loss']![0]!;
        sum = SMOOTHING * sum + (1 - SMOOTHING) * loss;
        points.push({ lr, loss, smooth: sum / (1 - SMOOTHING ** (points.length + 1)) });
        const text = `rate ${lr.toExponential(1)}, loss ${loss.toFixed(3)}`;
        onProgress?.({ phase: 'train', done: points.length, total: steps, text });
        const lowest = Math.min(...points.map(({ smooth }) => smooth));
        if (points.length === steps || (points.length > 10 && points.at(-1)!.smooth > LOST * lowest)) return points;
      }
    }
  } catch (error) {
    const exploded = error instanceof FinetuneError && error.code === 'E_LOSS_NOT_FINITE' && points.length > 0;
    if (!exploded) throw error;
    return points;
  } finally {
    await trainer.dispose();
  }
}

/** A tenth of the rate at which the smoothed loss is lowest, which is far enough below the rate of explosion for a
 *  long training. Returns undefined if the loss did not fall by more than chance, estimated from its changes between
 *  steps: then no rate helps. */
export function suggestLr(points: readonly LrPoint[]): number | undefined {
  const lowest = points.reduce((at, { smooth }, i) => (smooth < points[at]!.smooth ? i : at), 0);
  if (lowest === 0) return undefined;
  const losses = points.slice(0, lowest + 1).map(({ loss }) => loss);
  const changes = losses.slice(1).map((loss, i) => Math.abs(loss - losses[i]!));
  // The standard deviation of one loss, if losses are normally distributed.
  const deviation = median(changes) / (Math.SQRT2 * 0.6745);
  const first = losses.slice(0, Math.ceil(losses.length / 2));
  const faded = SMOOTHING ** losses.length;
  const ofMean = ((1 - SMOOTHING) / (1 + SMOOTHING)) * ((1 + faded) / (1 - faded));
  const ofMedian = Math.PI / 2 / first.length;
  const { lr, smooth } = points[lowest]!;
  return median(first) - smooth > SURE * deviation * Math.sqrt(ofMean + ofMedian) ? lr / 10 : undefined;
}
