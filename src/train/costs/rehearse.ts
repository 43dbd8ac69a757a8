import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { firstImages } from '../../data/firstImages.js';
import type { Dataset } from '../../data/sample.js';
import type { Backend } from '../../engine/backend.js';
import type { Session } from '../../engine/engine.js';
import { withTemporaryFolder } from '../../files/folders.js';
import type { Model } from '../../tasks/model.js';
import type { Task } from '../../tasks/task.js';
import { checkpointFile } from '../checkpoint/checkpoint.js';
import { withWaiting } from '../log/meter.js';
import type { TrainOptions } from '../options.js';
import { peakBytes, resetPeak } from './peakMemory.js';
import { openTrainer } from '../openTrainer.js';
import type { Trainer } from '../trainer.js';

/** What the parts of a run cost on this machine. */
export interface Costs {
  /** Building the programs, and compiling them when they run for the first time; seconds. */
  readonly start: number;
  /** A step, with the wait for its data; seconds. */
  readonly step: number;
  /** A step whose frozen features are cached; equal to `step` where nothing is cached. */
  readonly cachedStep: number;
  /** The first batch of an evaluation, which compiles its program; then each image; seconds. */
  readonly evaluateStart: number;
  readonly evaluateImage: number;
  /** Labelling all words anew, seconds; 0 where the model labels none. */
  readonly round: number;
  /** Saving a checkpoint, seconds. */
  readonly checkpoint: number;
  readonly checkpointBytes: number;
  readonly bestBytes: number;
  /** Largest memory of the whole process during the rehearsal. */
  readonly peakBytes: number;
  /** The loss of the first step, and its parts. */
  readonly firstLoss: Readonly<Record<string, number>>;
}

export interface Rehearsal {
  /** A folder on the run's file system; a temporary folder is created in it. */
  readonly beside: string;
  readonly validation: Dataset;
  /** Evaluates the current model on some images. */
  readonly evaluate: (model: Model, session: Session, images: Dataset) => Promise<unknown>;
  /** Forecasts the seconds that labelling all words takes. */
  readonly timeRound?: ((session: Session, task: Task) => Promise<number>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Most steps that are timed, after those whose data was loaded while the first one compiled. */
const STEPS = 6;
/** Timing ends early when the timed steps took more than so many seconds. */
const ENOUGH = 15;
/** Batches of the evaluation that are timed. */
const EVALUATED = 3;

/** How the names of rehearsal folders begin. A process that is killed leaves its folder; the next one to open the run
 *  directory removes it. */
export const REHEARSAL = '.rehearsal-';

/** Does everything that a run does, for a few steps, and measures it, in a folder that it removes afterwards.
 *  Throws what training throws. */
export async function rehearse(
  model: Model,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
  { beside, validation, evaluate, timeRound, signal }: Rehearsal,
): Promise<Costs> {
  return withTemporaryFolder(join(beside, REHEARSAL), async (directory) => {
    resetPeak();
    const begin = performance.now();
    const trainer = await openTrainer(model, data, backend, { ...options, directory, resume: false });
    const opened = secondsSince(begin);
    try {
      const compiled = new Set<string>();
      const { prefetch = 2 } = options;
      const timed = await timeSteps(trainer, { skip: prefetch, compiled, signal });
      // The same batches again, whose features are cached by now.
      const cached = trainer.cache ? await timeSteps(trainer, { skip: 1, compiled, signal }) : timed;
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
  });
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

interface Timing {
  /** Steps that are not timed, after those that compile. */
  readonly skip: number;
  /** The programs that have run before; those that run now are added. */
  readonly compiled: Set<string>;
  readonly signal?: AbortSignal | undefined;
}

interface Timed {
  /** Mean of a step with its waiting, seconds. */
  readonly step: number;
  /** Sum of the steps that were the first of their program, seconds. */
  readonly compiling: number;
  /** Loss of the first step, and its parts. */
  readonly losses: Readonly<Record<string, number>>;
}

/** Times steps from the beginning of the first epoch on, and repeats the epoch where it is too short. */
async function timeSteps(trainer: Trainer, { skip, compiled, signal }: Timing): Promise<Timed> {
  const { state } = trainer;
  const times: number[] = [];
  let losses: Record<string, number> | undefined;
  let compiling = 0;
  const isDone = (): boolean => times.length === STEPS || times.reduce((sum, time) => sum + time, 0) > ENOUGH;
  for (let passed = 0; !isDone();) {
    state.batch = 0;
    for await (const { item: batch, waited } of withWaiting(trainer.batches({ signal }))) {
      const start = performance.now();
      const program = `${batch.size.join('x')} ${trainer.gathers}`;
      const { results } = await trainer.step(batch);
      const taken = secondsSince(start);
      losses ??= Object.fromEntries(Object.entries(results).map(([name, [value]]) => [name, value!]));
      if (!compiled.has(program)) compiling += taken;
      else if (passed++ >= skip) times.push(waited / 1000 + taken);
      compiled.add(program);
      if (isDone()) break;
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
