import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openBackend } from '../engine/backend.js';
import { runRecipe, type FinetuneOptions } from '../finetune.js';
import { lengthOf, planRun } from '../run/plan.js';
import { locating } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import { withTrain } from '../recipe/withTrain.js';
import { recipeData } from '../run/recipeData.js';
import { recipeModel } from '../run/recipeModel.js';
import { isThere, openRunDirectory } from '../run/directory.js';
import { forecastSeconds, type Length } from '../train/timePlan.js';

/** What a whole run would take on this machine, measured and added up. */
export interface Forecast {
  readonly engine: string;
  readonly batch: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly seconds: number;
  /** Seconds of the parts: getting ready; a step with its data, and one with cached features; an evaluation; a checkpoint. */
  readonly parts: Readonly<Record<'ready' | 'step' | 'cachedStep' | 'evaluation' | 'checkpoint', number>>;
  /** Largest memory of the process, bytes, with the feature cache full, and what is free. */
  readonly memory: { readonly needed: number; readonly free: number };
  /** Of the run directory at its largest, bytes, and what is free. */
  readonly disk: { readonly needed: number; readonly free: number };
  /** What is worth knowing before the long run, a sentence each. */
  readonly remarks: readonly string[];
}

const MIB = 2 ** 20;
/** Bytes that are written besides checkpoints: lines of the log, the report's curves. */
const LOGS = 2 * MIB;

/** Does one step of everything on the recipe's own data, weights, engine and file system: loading, training, evaluation, checkpoint, report; and says
 *  what the whole run would take. Leaves nothing behind. Throws whatever the run would throw that far. */
export const dryRun = (
  asked: Recipe,
  { signal, onProgress }: Pick<FinetuneOptions, 'signal' | 'onProgress'> = {},
): Promise<Forecast> =>
  locating(asked, async () => {
    const began = performance.now();
    const hooks = { signal, onProgress };
    const directory = await mkdtemp(join(await nearestFolder(resolve(asked.out)), '.dry-run-'));
    try {
      const backend = await openBackend({ engine: asked.engine });
      const data = await recipeData(asked, hooks);
      const model = await recipeModel(asked, data.categories, { ...hooks, trainingData: data.train, old: data.old });
      const ready = (performance.now() - began) / 1000;
      const options = { directory, ...hooks };
      const { recipe } = await planRun({ recipe: asked, data, model, backend }, { ...options, began });
      const { batch, epochs, accumulate, cache, cacheLimit } = recipe.train;
      const length = await lengthOf({ recipe, data, model, backend }, undefined, options);
      const once = withTrain(recipe, { epochs: 1, stepsPerEpoch: accumulate, earlyStop: false });
      const run = await openRunDirectory(join(directory, 'run'));
      try {
        const most = { train: Number(batch) * accumulate, others: recipe.evaluate.batch };
        await runRecipe(once, run, { signal, most });
      } finally {
        await run.close();
      }
      const { costs } = length.phases[0]!;
      const memory = {
        needed: Math.max(...length.phases.map((phase) => phase.costs.peakBytes)) + (cache === 'memory' ? cacheLimit * MIB : 0), // prettier-ignore
        free: process.availableMemory() + process.memoryUsage().rss,
      };
      const disk = {
        needed:
          (await bytesNow(run.path, length, recipe, (data.test ?? data.val).annotations.length)) +
          (cache === 'disk' ? cacheLimit * MIB : 0),
        free: await freeBytes(directory),
      };
      const evaluation = length.validated * costs.evaluateImage;
      const forecast = {
        engine: `${backend.name} ${backend.version}`,
        batch: Number(batch),
        epochs,
        stepsPerEpoch: length.fullEpoch,
        seconds: ready + forecastSeconds(epochs, length.fullEpoch, length),
        parts: { ready, step: costs.step, cachedStep: costs.cachedStep, evaluation, checkpoint: costs.checkpoint },
        memory,
        disk,
      };
      return { ...forecast, remarks: remarksOn(forecast) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

async function nearestFolder(path: string): Promise<string> {
  return (await isThere(path)) ? path : nearestFolder(dirname(path));
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** The run directory at its largest: while a checkpoint is written, beside the last one, the one before and the best; predictions of all images. */
async function bytesNow(directory: string, { phases }: Length, recipe: Recipe, scored: number): Promise<number> {
  const checkpoints = Math.max(...phases.map(({ costs }) => 3 * costs.checkpointBytes + costs.bestBytes));
  const predictions = (await stat(join(directory, 'predictions.json'))).size / Math.min(recipe.evaluate.batch, scored);
  const others = (await readdir(directory)).filter((name) => name !== 'checkpoints');
  const sizes = await Promise.all(others.map(async (name) => (await stat(join(directory, name))).size));
  return checkpoints + predictions * scored + sizes.reduce((sum, size) => sum + size, 0) + LOGS;
}

const inMib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;

function remarksOn({ memory, disk }: Pick<Forecast, 'memory' | 'disk'>): string[] {
  return [
    ...(memory.needed > memory.free ? [`it needs ${inMib(memory.needed)} of memory, and ${inMib(memory.free)} are free: lower train.batch, or set train.accumulate`] : []),
    ...(disk.needed > disk.free ? [`it needs ${inMib(disk.needed)} on disk, and ${inMib(disk.free)} are free: choose another --out`] : []),
  ]; // prettier-ignore
}
