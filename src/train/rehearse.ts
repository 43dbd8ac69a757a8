import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { firstImages } from '../data/firstImages.js';
import { loadBatches } from '../data/pipeline/loader.js';
import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import type { Session } from '../engine/engine.js';
import type { Model } from '../tasks/model.js';
import type { Task } from '../tasks/task.js';
import { checkpointFile } from './checkpoint.js';
import { peakBytes, resetPeak } from './peakMemory.js';
import { loadingOf } from './replay.js';
import { openTrainer, type TrainOptions, type Trainer } from './trainer.js';

/** What the parts of a run cost on this machine. */
export interface Costs {
  /** Building the programs and their first runs, which compile them, seconds. */
  readonly start: number;
  /** A step with what it waits for its data, seconds. */
  readonly step: number;
  /** A step whose frozen features are cached; that of `step` where nothing is. */
  readonly cachedStep: number;
  /** The first batch of the evaluation, and then an image, seconds. */
  readonly evaluateStart: number;
  readonly evaluateImage: number;
  /** Labelling all words anew, seconds; 0 where nothing is labelled. */
  readonly round: number;
  readonly checkpoint: number;
  readonly checkpointBytes: number;
  readonly bestBytes: number;
  /** Largest memory of the whole process in all that. */
  readonly peakBytes: number;
  /** The loss of the first step, and its parts. */
  readonly firstLoss: Readonly<Record<string, number>>;
}

export interface Rehearsal {
  /** A folder on the file system of the run, in which a folder is made and taken away. */
  readonly beside: string;
  readonly validation: Dataset;
  /** Evaluates the model as it stands on some images. */
  readonly evaluate: (model: Model, session: Session, images: Dataset) => Promise<unknown>;
  /** Forecasts what labelling all words takes, seconds. */
  readonly timeRound?: ((session: Session, task: Task) => Promise<number>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Steps that are timed, after those whose data was read while the first one compiled; fewer when they take longer than so many seconds. */
const STEPS = 6;
const ENOUGH = 15;
/** Batches of the evaluation that are timed. */
const EVALUATED = 3;

/** What the folders of rehearsals are called: a process that is killed leaves one, and whoever opens the run directory next removes it. */
export const REHEARSAL = '.rehearsal-';

/** Does everything a run does for a few steps and measures it, in a folder that is gone afterwards. Throws what training throws. */
export async function rehearse(
  model: Model,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
  { beside, validation, evaluate, timeRound, signal }: Rehearsal,
): Promise<Costs> {
  const directory = await mkdtemp(join(beside, REHEARSAL));
  resetPeak();
  try {
    const begin = performance.now();
    const trainer = await openTrainer(model, data, backend, { ...options, directory, resume: false });
    const opened = secondsSince(begin);
    try {
      const ran = new Set<string>();
      const timed = await timeSteps(trainer, data, options, { skip: options.prefetch ?? 2, ran, signal });
      // the same batches once more: now their features are there
      const cached = trainer.cache ? await timeSteps(trainer, data, options, { skip: 1, ran, signal }) : timed;
      const saving = performance.now();
      await trainer.saveLast();
      const checkpoint = secondsSince(saving);
      await trainer.saveBest();
      const evaluation = await timeEvaluation(trainer, validation, evaluate, options.evaluateBatch);
      return {
        start: opened + timed.compiling,
        step: timed.step,
        cachedStep: Math.min(cached.step, timed.step),
        ...evaluation,
        round: (await timeRound?.(trainer.session, model.task)) ?? 0,
        checkpoint,
        checkpointBytes: (await stat(checkpointFile(directory, 'last'))).size,
        bestBytes: (await stat(checkpointFile(directory, 'best'))).size,
        peakBytes: peakBytes(),
        firstLoss: timed.losses,
      };
    } finally {
      await trainer.dispose();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

interface Timed {
  /** Mean of a step with its waiting, seconds. */
  readonly step: number;
  /** Sum of the steps that were the first of their program, seconds. */
  readonly compiling: number;
  /** Of the first step. */
  readonly losses: Readonly<Record<string, number>>;
}

/** Steps from the beginning of the first epoch on, again and again where it is short. `ran`: programs that are compiled, by what tells them apart. */
async function timeSteps(
  trainer: Trainer,
  data: Dataset,
  options: TrainOptions,
  {
    skip,
    ran,
    signal,
  }: { readonly skip: number; readonly ran: Set<string>; readonly signal?: AbortSignal | undefined },
): Promise<Timed> {
  const { model, state, cache } = trainer;
  const times: number[] = [];
  let losses: Record<string, number> | undefined;
  let compiling = 0;
  const isDone = (): boolean => times.length === STEPS || times.reduce((sum, time) => sum + time, 0) > ENOUGH;
  for (let passed = 0; !isDone();) {
    state.batch = 0;
    let asked = performance.now();
    for await (const loaded of loadBatches(data, {
      ...loadingOf(trainer, options),
      signal,
      encode: (sample) => model.task.encode(sample),
      isKnown: cache?.has,
    })) {
      const got = performance.now();
      const { results } = await trainer.step(loaded);
      losses ??= Object.fromEntries(Object.entries(results).map(([name, [value]]) => [name, value!]));
      const program = `${loaded.size.join('x')} ${state.step % options.accumulate}`;
      if (!ran.has(program)) compiling += secondsSince(got);
      else if (passed++ >= skip) times.push(secondsSince(asked));
      ran.add(program);
      if (isDone()) break;
      asked = performance.now();
    }
  }
  return { step: times.reduce((sum, time) => sum + time, 0) / times.length, compiling, losses: losses! };
}

async function timeEvaluation(
  { model, session }: Trainer,
  validation: Dataset,
  evaluate: Rehearsal['evaluate'],
  batch: number,
): Promise<Pick<Costs, 'evaluateStart' | 'evaluateImage'>> {
  const some = (images: number): Dataset => firstImages(validation, images);
  const begin = performance.now();
  await evaluate(model, session, some(batch));
  const evaluateStart = secondsSince(begin);
  const more = some(EVALUATED * batch);
  const again = performance.now();
  await evaluate(model, session, more);
  return { evaluateStart, evaluateImage: secondsSince(again) / Math.max(more.annotations.length, 1) };
}
