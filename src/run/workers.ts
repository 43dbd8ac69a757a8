import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { shareOut, type OwnShare } from '../data/pipeline/share.js';
import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import { FinetuneError, type Problem } from '../errors.js';
import { discard, makeFolder, makeTemporaryFolder, remove } from '../files/folders.js';
import { readOwnJson } from '../files/readOwnJson.js';
import { writeAtomically } from '../files/writeAtomically.js';
import type { ProgressEvent } from '../progress.js';
import { recipeOptions } from '../recipe/differences.js';
import { withTrain } from '../recipe/withTrain.js';
import { findCheckpoint } from '../train/checkpoint/checkpoint.js';
import type { Run } from '../train/loop.js';
import { joinWorkers, type JoinOptions } from '../workers/join.js';
import { ALONE, type Workers } from '../workers/workers.js';
import { openRunDirectory, type RunDirectory } from './directory.js';
import type { OpenedRecipe } from './openRecipe.js';
import type { PlannedRun } from './plan.js';
import { ownVersion } from './versions.js';

/** What a run with several workers does besides training: they come together, make sure that they do the same, and the one
 *  of rank 0 keeps the run directory. A process that trains alone passes through all of this unchanged. */

interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Works together with the other workers, if there are any. The signal that `work` gets aborts also when one of them is
 *  lost. Throws E_WORKERS_LOST then, and what joinWorkers throws. */
export async function withWorkers<T>(
  join: Omit<JoinOptions, keyof Hooks> | undefined,
  hooks: Hooks,
  work: (workers: Workers, hooks: Hooks) => Promise<T>,
): Promise<T> {
  if (!join) return work(ALONE, hooks);
  const workers = await joinWorkers({ ...join, ...hooks });
  const signal = AbortSignal.any([...(hooks.signal ? [hooks.signal] : []), workers.signal]);
  try {
    const result = await work(workers, { ...hooks, signal });
    workers.signal.throwIfAborted();
    await workers.leave(hooks.signal?.aborted ? STOPPED : undefined);
    return result;
  } catch (thrown) {
    // An error of its own, which another worker may have found as well, says more than that the other one has ended.
    const isOwn = thrown instanceof FinetuneError && thrown.code !== 'E_WORKERS_LOST';
    const error: unknown = workers.signal.aborted && !isOwn ? workers.signal.reason : thrown;
    await workers.leave(hooks.signal?.aborted ? STOPPED : (error as Error).message.split('\n')[0]!);
    throw error;
  }
}

const STOPPED = 'it was stopped';

/** The file with the number of parts of each batch, where it is not one. */
const PARTS = 'workers.json';
const partsSchema = z.object({ parts: z.number().int().min(1) });

/** The files by which a run is continued. */
const KEPT = [
  'recipe.yaml',
  'split.json',
  'plan.json',
  PARTS,
  'freeze.json',
  'metrics.json',
  'engines.json',
  'checkpoints/last.safetensors',
] as const;

/** Opens the run directory. A worker of another rank than 0 has a temporary one, with copies of the files by which the
 *  run is continued; it is removed at the end. Throws what openRunDirectory throws. */
export async function openWorkersDirectory(
  path: string,
  options: { readonly resume: boolean },
  workers: Workers,
): Promise<RunDirectory> {
  const run = workers.rank === 0 ? await openRunDirectory(path, options) : await openTemporary();
  if (workers.count === 1) return run;
  for (const name of KEPT) {
    const file = join(run.path, name);
    const own = await readFile(file).catch(() => Buffer.alloc(0));
    const bytes = await workers.bytesFromFirst(own);
    if (workers.rank === 0 || bytes.length === 0) continue;
    await makeFolder(dirname(file));
    await writeAtomically(file, [bytes]);
  }
  return run;
}

/** The parts of each batch that this worker trains on. A new run has as many parts as workers, and writes that down. One
 *  that is continued keeps its parts, so that it makes the same steps with fewer workers, too. Throws E_RESUME_WORKERS if
 *  there are more workers than parts. */
export async function shareBatches(run: RunDirectory, isBegun: boolean, workers: Workers): Promise<OwnShare> {
  if (!isBegun) {
    if (workers.count > 1) await run.write(PARTS, `${JSON.stringify({ parts: workers.count })}\n`);
    else await remove(join(run.path, PARTS)); // of a run that ended before it had begun
    return shareOut(workers.count, workers);
  }
  const fix = 'restore it from a copy: it has the number of processes that began the run';
  const kept = await readOwnJson(join(run.path, PARTS), { parse: (content) => partsSchema.parse(content), fix });
  const parts = kept?.parts ?? (await findCheckpoint(run.path))?.state.workers ?? 1;
  if (workers.count <= parts) return shareOut(parts, workers);
  throw new FinetuneError({
    code: 'E_RESUME_WORKERS',
    message: `the run was begun by ${parts === 1 ? 'one process, and its batches have one part' : `${parts} processes, and its batches have ${parts} parts`}: ${workers.count} processes cannot share them`,
    ...(workers.rank === 0 && { where: { file: run.path } }), // the others have a temporary directory
    fix: parts === 1 ? 'resume it without --workers' : `resume it with at most ${parts} processes`,
  });
}

async function openTemporary(): Promise<RunDirectory> {
  const path = await makeTemporaryFolder(join(tmpdir(), 'finetune-worker-'));
  return {
    path,
    write: (name, content) => writeAtomically(join(path, name), content),
    close: () => discard(path),
  };
}

/** Makes sure that all workers train the same model on the same data with the same program. Throws E_WORKERS_DIFFER with
 *  everything that differs from the worker of rank 0, and E_WORKERS_ENGINE for an engine that trains alone. */
export async function compareWorkers({ recipe, backend, data, model }: OpenedRecipe, workers: Workers): Promise<void> {
  if (workers.count === 1) return;
  const all = await workers.gather({
    version: ownVersion(),
    engine: `${backend.name} ${backend.version}`,
    'training part': describePart(data.train),
    'validation part': describePart(data.val),
    'initial weights': hashOf([...model.params.values()].map(({ data: values }) => values)),
    ...Object.fromEntries([...recipeOptions(recipe)].filter(([path]) => !OF_MACHINE.includes(path))),
  });
  const [first, ...others] = all as readonly Readonly<Record<string, string>>[];
  const problems = others.flatMap((other, i): Problem[] =>
    [...new Set([...Object.keys(first!), ...Object.keys(other)])]
      .filter((what) => first![what] !== other[what])
      .map((what) => ({
        code: 'E_WORKERS_DIFFER',
        message: `${what}: ${first![what] ?? 'absent'} on worker 0, ${other[what] ?? 'absent'} on worker ${i + 1}`,
        fix: 'start all workers with the same recipe, data set and version',
      })),
  );
  if (problems.length > 0) throw new FinetuneError(problems);
}

/** Options of a recipe that may differ between machines. The engine is compared as it was opened. */
const OF_MACHINE: readonly string[] = ['data.root', 'engine', 'threads'];

const describePart = ({ annotations }: Dataset): string =>
  `${annotations.length} images, ${hashOf(annotations.map((one) => JSON.stringify({ ...one, file: basename(one.file) }))).slice(0, 12)}`;

function hashOf(parts: readonly (string | Float32Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** The backend with the means over all parts of a batch. Throws E_WORKERS_ENGINE. */
export function withMeans<B extends Backend>(backend: B, workers: Workers, share: OwnShare): B {
  if (share.count === 1) return backend;
  if (backend.name === 'tensorflow' || backend.name === 'tensorflow-gpu')
    return {
      ...backend,
      workersMean: (parts: readonly Float32Array[], mean: Float32Array) => workers.mean(parts, mean),
    };
  throw new FinetuneError({
    code: 'E_WORKERS_ENGINE',
    option: 'engine',
    message: `the engine ${backend.name} cannot train with other workers`,
    fix: 'set engine: tensorflow, and run finetune setup if it is not there',
  });
}

/** Plans the run on the worker of rank 0, which measures where something is to be measured; the others take its numbers. */
export async function planTogether(
  opened: OpenedRecipe,
  workers: Workers,
  plan: () => Promise<PlannedRun>,
): Promise<PlannedRun> {
  let planned: PlannedRun | undefined;
  const numbers = await workers.fromFirst(async () => {
    planned = await plan();
    const { batch, memory, time, epochs, stepsPerEpoch } = planned.recipe.train;
    return { batch, memory, time, epochs, stepsPerEpoch };
  });
  return planned ?? { ...opened, recipe: withTrain(opened.recipe, numbers) };
}

/** The speed of each worker and its time of waiting, as a remark; none of a process that trains alone. */
export async function describeWorkers(
  { imagesPerSecond, stopped }: Run,
  seconds: number,
  workers: Workers,
  share: OwnShare,
): Promise<string[]> {
  if (share.count === 1 || stopped) return [];
  const all = await workers.gather({ waited: workers.waited() / 1000 / seconds, parts: share.own });
  if (workers.count === 1) return [`This process computed all ${share.count} parts of each batch.`];
  const list = (of: (one: (typeof all)[number]) => string): string => all.map(of).join(', ');
  const speeds = list(({ parts }) => ((imagesPerSecond * parts) / share.count).toFixed(1));
  const shares = list(({ waited }) => `${(100 * waited).toFixed(0)} %`);
  return [
    `${workers.count} workers trained ${imagesPerSecond.toFixed(1)} images per second. By rank, they trained ${speeds} of them, and spent ${shares} of the time on exchanging gradients and waiting for each other.`,
  ];
}
