import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { median } from '../evaluate/median.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { planRun } from '../run/plan.js';
import { withTrain } from '../recipe/withTrain.js';
import { withRecipe, type OpenedRecipe } from '../run/openRecipe.js';
import { taskOptions } from '../run/taskOptions.js';
import type { TrainOptions } from '../train/options.js';
import { openTrainer } from '../train/trainer.js';
import { trainOptions } from '../run/trainOptions.js';

export interface LrPoint {
  /** The learning rate of one step, and the loss before it. */
  readonly lr: number;
  readonly loss: number;
  /** Exponential mean over the steps so far, bias corrected. */
  readonly smooth: number;
}

export interface LrFindResult {
  readonly points: readonly LrPoint[];
  /** A tenth of the rate where the loss is lowest; absent where it never fell. */
  readonly suggestion?: {
    readonly lr: number;
    /** For train.lr.value, at train.lr.perBatch. */ readonly value: number;
  };
}

export interface LrFindOptions {
  readonly steps?: number;
  readonly from?: number;
  readonly to?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The loss is lost when it is so many times the lowest. */
const LOST = 4;
const SMOOTHING = 0.9;
/** Standard errors by which the smoothed loss must fall: the lowest of a hundred that only scatter is two or three below. */
const SURE = 4;

/** Trains with a rate that grows from step to step until the loss explodes, and leaves nothing behind. The learning-rate range test, Smith 2017 (arXiv:1506.01186). */
export const findLr = (asked: Recipe, { signal, onProgress, ...range }: LrFindOptions = {}): Promise<LrFindResult> =>
  withRecipe(asked, { signal, onProgress }, async (opened) => {
    const directory = await mkdtemp(join(tmpdir(), 'finetune-lr-'));
    const hooks = { signal, onProgress };
    try {
      const untimed = { ...opened, recipe: withTrain(asked, { time: null }) };
      const planned = await planRun(untimed, { directory, ...hooks });
      const { recipe } = planned;
      const options = trainOptions(recipe, taskOptions(recipe).images, directory);
      const points = await raiseRate(planned, options, { ...range, ...hooks });
      const lr = suggestLr(points);
      const { perBatch } = recipe.train.lr;
      return { points, ...(lr !== undefined && { suggestion: { lr, value: (lr * perBatch) / options.batch } }) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

/** Takes steps at rates that rise by a constant factor, until the loss explodes or all rates were tried. */
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

/** A tenth of the rate at which the smoothed loss is lowest: far enough from the edge to train at it for long. Undefined where the loss did not
 *  fall by more than chance, as its changes from step to step tell: then no rate helps. */
export function suggestLr(points: readonly LrPoint[]): number | undefined {
  const lowest = points.reduce((at, { smooth }, i) => (smooth < points[at]!.smooth ? i : at), 0);
  if (lowest === 0) return undefined;
  const losses = points.slice(0, lowest + 1).map(({ loss }) => loss);
  const changes = losses.slice(1).map((loss, i) => Math.abs(loss - losses[i]!));
  const deviation = median(changes) / (Math.SQRT2 * 0.6745); // of one loss, if they are normal
  const first = losses.slice(0, Math.ceil(losses.length / 2));
  const faded = SMOOTHING ** losses.length;
  const ofMean = ((1 - SMOOTHING) / (1 + SMOOTHING)) * ((1 + faded) / (1 - faded));
  const ofMedian = Math.PI / 2 / first.length;
  const { lr, smooth } = points[lowest]!;
  return median(first) - smooth > SURE * deviation * Math.sqrt(ofMean + ofMedian) ? lr / 10 : undefined;
}
