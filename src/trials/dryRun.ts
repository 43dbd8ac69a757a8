import { readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { firstOfEach } from '../data/firstImages.js';
import { withTemporaryFolder } from '../files/folders.js';
import { runRecipe, type FinetuneOptions } from '../finetune.js';
import { lengthOf } from '../run/measure.js';
import { planRun } from '../run/plan.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain } from '../recipe/withTrain.js';
import { isThere, openRunDirectory, type RunDirectory } from '../run/directory.js';
import { withRecipe, type OpenedRecipe } from '../run/openRecipe.js';
import { forecastSeconds, type Length } from '../train/costs/timePlan.js';

/** What a whole run would take on this machine, extrapolated from measured steps. */
export interface Forecast {
  readonly engine: string;
  readonly batch: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly seconds: number;
  /** Seconds of each part: preparation; a step with the loading of its data; a step with cached features; an
   *  evaluation; a checkpoint. */
  readonly parts: Readonly<Record<'ready' | 'step' | 'cachedStep' | 'evaluation' | 'checkpoint', number>>;
  /** Bytes: the peak memory of the process with a full feature cache, and the memory that is free. */
  readonly memory: { readonly needed: number; readonly free: number };
  /** Bytes: the run directory at its largest, and the space that is free. */
  readonly disk: { readonly needed: number; readonly free: number };
  /** Warnings before the long run, a sentence each. */
  readonly remarks: readonly string[];
}

const MIB = 2 ** 20;
/** Bytes of the log and of the report's curves in a whole run. */
const LOGS = 2 * MIB;

/** Does one step of everything on the recipe's own data, weights, engine and file system (loading, training,
 *  evaluation, checkpoint, report), and forecasts the whole run from that. Leaves nothing behind. Throws whatever
 *  the run would throw that far. */
export const dryRun = (asked: Recipe, hooks: Pick<FinetuneOptions, 'signal' | 'onProgress'> = {}): Promise<Forecast> =>
  withRecipe(asked, hooks, async (opened) => {
    const ready = (performance.now() - opened.began) / 1000;
    return withTemporaryFolder(join(await nearestFolder(resolve(asked.out)), '.dry-run-'), async (directory) => {
      const options = { directory, ...hooks };
      const planned = await planRun(opened, options);
      const length = await lengthOf(planned, undefined, options);
      const run = await openRunDirectory(join(directory, 'run'));
      try {
        await runFirstImages(planned, run, hooks);
      } finally {
        await run.close();
      }
      hooks.signal?.throwIfAborted(); // a run that the signal stopped wrote nothing to measure
      return forecast(planned, { ready, length, run: run.path });
    });
  });

/** Runs one step with an evaluation, a checkpoint and a report, on as few images as that takes. */
async function runFirstImages(
  opened: OpenedRecipe,
  run: RunDirectory,
  { signal }: Pick<FinetuneOptions, 'signal'>,
): Promise<void> {
  const { batch, accumulate } = opened.recipe.train;
  const recipe = withTrain(opened.recipe, { epochs: 1, stepsPerEpoch: accumulate, earlyStop: false });
  const most = { train: Number(batch) * accumulate, others: recipe.evaluate.batch };
  await runRecipe({ ...opened, recipe, data: firstOfEach(opened.data, most) }, run, { signal });
}

async function forecast(
  { recipe, backend, data }: OpenedRecipe,
  { ready, length, run }: { readonly ready: number; readonly length: Length; readonly run: string },
): Promise<Forecast> {
  const { batch, epochs, cache, cacheLimit } = recipe.train;
  const { costs } = length.phases[0]!;
  const { step, cachedStep, checkpoint } = costs;
  const cached = (place: typeof cache): number => (cache === place ? cacheLimit * MIB : 0);
  const memory = {
    needed: Math.max(...length.phases.map((phase) => phase.costs.peakBytes)) + cached('memory'),
    free: process.availableMemory() + process.memoryUsage().rss,
  };
  const bytes = await bytesOfRun(run, length, recipe, (data.test ?? data.val).annotations.length);
  const disk = { needed: bytes + cached('disk'), free: await freeBytes(run) };
  return {
    engine: `${backend.name} ${backend.version}`,
    batch: Number(batch),
    epochs,
    stepsPerEpoch: length.fullEpoch,
    seconds: ready + forecastSeconds(epochs, length.fullEpoch, length),
    parts: { ready, step, cachedStep, evaluation: length.validated * costs.evaluateImage, checkpoint },
    memory,
    disk,
    remarks: remarksOn({ memory, disk }),
  };
}

async function nearestFolder(path: string): Promise<string> {
  return (await isThere(path)) ? path : nearestFolder(dirname(path));
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Bytes of the run directory at its largest: while a checkpoint is written beside the last one, the one before it
 *  and the best, and with the predictions of all images. */
async function bytesOfRun(directory: string, { phases }: Length, recipe: Recipe, scored: number): Promise<number> {
  const checkpoints = Math.max(...phases.map(({ costs }) => 3 * costs.checkpointBytes + costs.bestBytes));
  const predictions = (await stat(join(directory, 'predictions.json'))).size / Math.min(recipe.evaluate.batch, scored);
  const others = (await readdir(directory)).filter((name) => name !== 'checkpoints');
  const sizes = await Promise.all(others.map(async (name) => (await stat(join(directory, name))).size));
  return checkpoints + predictions * scored + sizes.reduce((sum, size) => sum + size, 0) + LOGS;
}

const inMib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;

function remarksOn({ memory, disk }: Pick<Forecast, 'memory' | 'disk'>): string[] {
  const isShort = ({ needed, free }: Forecast['memory']): boolean => needed > free;
  const sizes = ({ needed, free }: Forecast['memory']): string => `${inMib(needed)}, and only ${inMib(free)} are free`;
  return [
    ...(isShort(memory)
      ? [`the run needs memory of ${sizes(memory)}: lower train.batch, or set train.accumulate`]
      : []),
    ...(isShort(disk) ? [`the run needs disk space of ${sizes(disk)}: choose another --out`] : []),
  ];
}
