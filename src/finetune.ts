import { basename } from 'node:path';
import type { ProgressEvent } from './progress.js';
import { loadRecipe } from './recipe/load.js';
import type { Recipe } from './recipe/schema.js';
import type { Metrics } from './report/report.js';
import { beginRun } from './run/beginRun.js';
import { continueRecipe } from './run/continueRun.js';
import { newRunPath, type RunDirectory } from './run/directory.js';
import { withRecipe, type OpenedRecipe } from './run/openRecipe.js';
import { withRunChoices } from './engine/inference/choices.js';
import { planRun } from './run/plan.js';
import { readImages } from './run/readImages.js';
import { reportRun } from './run/reportRun.js';
import { scoreRun } from './run/scoreRun.js';
import { trainRun } from './run/trainRun.js';
import {
  compareWorkers,
  openWorkersDirectory,
  planTogether,
  shareBatches,
  withMeans,
  withWorkers,
} from './run/workers.js';
import type { JoinOptions } from './workers/join.js';
import { ALONE, type Workers } from './workers/workers.js';

export interface FinetuneOptions {
  /** The run directory. It must be empty, unless `resume` or `extend` asks to continue the run that it holds.
   *  Default: a new one in the recipe's `out`, named after the recipe and the time. */
  readonly directory?: string | undefined;
  /** Continue the stopped run in the directory from its last checkpoint. */
  readonly resume?: boolean;
  /** Train the finished run in the directory for this many more epochs. The learning rate follows the schedule of a
   *  run of the whole length. */
  readonly extend?: number | undefined;
  /** Stops the run between two steps. Everything is saved, and `resume` continues it. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Stop after so many epochs in all, with everything saved; `resume` continues. */
  readonly until?: number | undefined;
  /** Train together with other processes: the addresses of all of them, and the rank of this one. The process of rank 0
   *  keeps the run directory; the others have a temporary one, and return no metrics. */
  readonly workers?: Omit<JoinOptions, 'signal' | 'onProgress'> | undefined;
}

export interface FinetuneResult {
  readonly directory: string;
  /** Absent when the signal stopped the run: everything is saved, and `resume` continues it. */
  readonly metrics?: Metrics;
}

/** Finetunes a model as a recipe says: recipe → data → model → train → evaluate → report. `source` is a recipe or
 *  its file.
 *  Throws what is wrong with the recipe, its data, its weights or the run directory, each with its place. */
export async function finetune(source: Recipe | string, options: FinetuneOptions = {}): Promise<FinetuneResult> {
  const asked = typeof source === 'string' ? await loadRecipe(source) : source;
  const name = typeof source === 'string' ? basename(source).replace(/\.ya?ml$/, '') : asked.task;
  const { directory = newRunPath(asked.out, name), until, signal, onProgress } = options;
  return withWorkers(options.workers, { signal, onProgress }, async (workers, hooks) => {
    const { resume = false, extend } = await workers.fromFirst(() => Promise.resolve(continuation(options)));
    const run = await openWorkersDirectory(directory, { resume: resume || extend !== undefined }, workers);
    try {
      const { recipe, isBegun } = await continueRecipe(run.path, asked, { resume, extend });
      const work = (opened: OpenedRecipe) =>
        runRecipe(opened, run, { resume: isBegun, extend, until, ...hooks }, workers);
      return await withRecipe(recipe, { ...hooks, ...(isBegun && { dividedBy: run.path }) }, work); // opens the engine, the data and the model
    } finally {
      await run.close();
    }
  });
}

const continuation = ({ resume, extend }: FinetuneOptions) => ({ resume, extend });

/** The rest of the line, with the engine, data and model of a recipe: train → evaluate → report. */
export async function runRecipe(
  opened: OpenedRecipe,
  run: RunDirectory,
  { resume = false, extend, until, signal, onProgress }: Omit<FinetuneOptions, 'directory' | 'workers'>,
  workers: Workers = ALONE,
): Promise<FinetuneResult> {
  const hooks = { signal, onProgress };
  await compareWorkers(opened, workers);
  const share = await shareBatches(run, resume, workers);
  const kept = { ...opened, backend: withMeans(withRunChoices(opened.backend, run.path), workers, share) };
  // numbers for `batch: auto` and `time`
  const planned = await planTogether(kept, workers, () =>
    planRun(kept, { directory: run.path, workers: share.count, ...hooks }),
  );
  const begun = await beginRun(run, planned, { resume, extend });
  const { images, broken } = readImages(planned.recipe);
  const trained = await trainRun(planned, run.path, { images, resume, until, workers, share, ...hooks });
  const scored =
    trained.stopped || workers.rank > 0 ? undefined : await scoreRun(planned, run.path, { images, ...hooks });
  if (!scored) return { directory: run.path }; // it was stopped, or the first worker scores it
  const metrics = await reportRun(run, planned, { ...begun, trained, scored, broken, onProgress });
  return { directory: run.path, metrics };
}
