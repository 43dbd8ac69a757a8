import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import type { Session } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import type { ProgressEvent } from '../progress.js';
import type { Model } from '../tasks/model.js';
import { announce } from './announce.js';
import { enterScore, isOver, stoppedEarly } from './best.js';
import { planCheckpoints } from './checkpoint/checkpointPlan.js';
import { explainError } from './explainError.js';
import { openLog, type RunLog } from './log/log.js';
import { withWaiting } from './log/meter.js';
import type { TrainOptions } from './options.js';
import { unlikelyStart } from './preflight.js';
import type { EpochScore, FreezeReceipt, MetricsLine } from './log/record.js';
import type { RunState } from './checkpoint/state.js';
import { startTracker, type Tracker } from './log/tracker.js';
import { openTrainer } from './openTrainer.js';
import type { Trainer } from './trainer.js';

/** A model in training. */
export interface LiveModel {
  /** With the values that the run started from. */
  readonly model: Model;
  /** Its program `evaluate` has the present values. */
  readonly session: Session;
  /** The model with the present values, averaged where the run keeps averages. */
  present(): Promise<Model>;
}

export interface TrainHooks {
  /** Evaluates the current model. Without it no epoch is evaluated, and none becomes the best. */
  readonly evaluate?: (live: LiveModel, signal?: AbortSignal) => Promise<EpochScore>;
  /** Called before the steps of an epoch, and before the rest of them when a run resumes; what it returns is reported. */
  readonly enterEpoch?: ((session: Session, state: RunState) => Promise<string | undefined>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface Run {
  readonly lines: readonly MetricsLine[];
  /** Completed epochs. */
  readonly epochs: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Mean loss over the last completed epoch. */
  readonly trainLoss: number;
  readonly best: { readonly epoch: number; readonly score: number };
  readonly freeze: FreezeReceipt | undefined;
  /** Remarks on speed, early stopping and the like, a sentence each. */
  readonly notes: readonly string[];
  /** Whether the signal or `until` stopped the run: everything is saved then, and `resume` continues it. */
  readonly stopped: boolean;
}

type Say = (message: string | undefined) => void;

/** Trains a model and leaves its checkpoints in the run directory. Stops cleanly between two steps when the signal is
 *  aborted.
 *  Throws E_LOSS_NOT_FINITE, with the images if it is a step's, and what data, engine and checkpoints throw. */
export async function train(
  model: Model,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
  hooks: TrainHooks,
): Promise<Run> {
  const { onProgress } = hooks;
  const say: Say = (message) => {
    if (message !== undefined) onProgress?.({ message });
  };
  onProgress?.({ phase: 'compile', done: 0, total: 1 });
  const trainer = await openTrainer(model, data, backend, options);
  const { state } = trainer;
  const log = await openLog(options.directory, { resumeFrom: options.resume ? state : undefined });
  const tracker = startTracker(trainer, log, options, onProgress);
  onProgress?.({ phase: 'compile', done: 1, total: 1 });
  announce(trainer, data, options).forEach(say);
  try {
    await trainEpochs(trainer, tracker, options, hooks, say);
    if (!isOver(state, options)) await trainer.saveLast();
    return await summarize(trainer, tracker, log, options, say);
  } catch (error) {
    const explained = await explainError(error, trainer, hooks);
    // Keeps every step before, say, an image that is missing; where that fails too, both errors are told.
    await trainer.saveSound().catch((unsaved: unknown) => {
      throw together(explained, unsaved);
    });
    throw explained;
  } finally {
    await trainer.dispose();
    log.close();
  }
}

/** Two errors as one, where both are problems that a person can solve; else the first. */
function together(first: unknown, second: unknown): unknown {
  if (!(first instanceof FinetuneError) || !(second instanceof FinetuneError)) return first;
  const others = second.problems.filter(({ code }) => first.problems.every((problem) => problem.code !== code));
  return new FinetuneError([...first.problems, ...others], { cause: first });
}

/** Trains until the run is over, the epoch is done until which it should go, or the signal stops it between two steps. */
async function trainEpochs(
  trainer: Trainer,
  tracker: Tracker,
  options: TrainOptions,
  hooks: TrainHooks,
  say: Say,
): Promise<void> {
  const { state, plan } = trainer;
  const { signal } = hooks;
  const checkpoints = planCheckpoints(options.checkpointEvery, state.step);
  try {
    while (!isOver(state, options) && state.epoch < (options.until ?? Infinity)) {
      tracker.startEpoch();
      say(await trainer.enterEpoch());
      say(await hooks.enterEpoch?.(trainer.session, state));
      for await (const { item: batch, waited } of withWaiting(trainer.batches({ signal }))) {
        const start = performance.now();
        const { results, lr } = await trainer.step(batch);
        if (state.step === 1) say(unlikelyStart(trainer.model, results, options.seed));
        tracker.step({ results, lr, waited, taken: waited + performance.now() - start });
        if (signal?.aborted) break;
        if (trainer.isWhole && checkpoints.isDue(state.step)) await trainer.saveLast();
      }
      if (state.batch < plan.schedule.stepsPerEpoch) break; // the signal cut the epoch short
      const scored = await evaluateEpoch(trainer, options, hooks);
      if (scored === 'stopped') break; // the epoch's steps are done: it is evaluated when the run resumes
      tracker.epoch(scored);
      const epoch = state.epoch + 1;
      if (scored && enterScore(state, { epoch, score: scored.score }, options)) await trainer.saveBest();
      Object.assign(state, { epoch, batch: 0, lossSum: 0 });
      await trainer.saveLast();
      if (signal?.aborted) break;
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error; // else it was stopped before the next batch
  }
}

/** Evaluates the model where the epoch is due for it. Values or a loss that are not finite end the run. The signal stops the evaluation between two batches. */
async function evaluateEpoch(
  trainer: Trainer,
  { evaluateEvery, epochs }: TrainOptions,
  { evaluate, signal }: TrainHooks,
): Promise<EpochScore | undefined | 'stopped'> {
  const { state, model, session } = trainer;
  const epoch = state.epoch + 1;
  if (!evaluate || (epoch % evaluateEvery !== 0 && epoch !== epochs)) return undefined;
  await trainer.checkValues();
  try {
    return await evaluate({ model, session, present: () => trainer.presentModel() }, signal);
  } catch (error) {
    if (signal?.aborted) return 'stopped';
    if (error instanceof FinetuneError && error.code === 'E_LOSS_NOT_FINITE') trainer.giveUp();
    throw error;
  }
}

async function summarize(
  trainer: Trainer,
  tracker: Tracker,
  log: RunLog,
  options: TrainOptions,
  say: Say,
): Promise<Run> {
  const { state } = trainer;
  const { waiting, ...measured } = tracker.summary();
  const notes = [...earlyNotes(state, options), waiting, ...trainer.notes()];
  notes.forEach(say);
  return {
    lines: log.lines,
    epochs: state.epoch,
    ...measured,
    best: { epoch: state.bestEpoch, score: state.bestScore },
    freeze: await trainer.freezeReceipt(),
    notes,
    stopped: !isOver(state, options),
  };
}

function earlyNotes(state: RunState, options: TrainOptions): string[] {
  if (state.epoch >= options.epochs || !stoppedEarly(state, options)) return [];
  return [
    `Stopped early, after ${state.epoch} of ${options.epochs} epochs: ${state.waiting.since} evaluations in a row were no better than that of epoch ${state.bestEpoch}.`,
  ];
}
