import type { Dataset } from '../data/sample.js';
import { loadBatches } from '../data/pipeline/loader.js';
import type { Backend } from '../engine/backend.js';
import type { Session } from '../engine/engine.js';
import type { Model } from '../tasks/model.js';
import type { ProgressEvent } from '../progress.js';
import { announce } from './announce.js';
import { enterScore, isOver, stoppedEarly } from './best.js';
import { planCheckpoints, type CheckpointPlan } from './checkpointPlan.js';
import type { RunState } from './checkpoint.js';
import { earlierLines, openLog, type RunLog } from './log.js';
import { startMeter, type Meter } from './meter.js';
import { unlikelyStart } from './preflight.js';
import { explainError, loadingOf } from './replay.js';
import type { FreezeReceipt, MetricsLine } from './record.js';
import { openTrainer, type TrainOptions, type Trainer } from './trainer.js';

/** What an epoch's evaluation says: the score to keep the best of, higher is better, and what to log. */
export interface EpochScore {
  readonly score: number;
  readonly loss: number;
  readonly metric: Readonly<Record<string, number>>;
}

export interface TrainHooks {
  /** Evaluates the model as it stands through the session's program `evaluate`; without it nothing is evaluated, and no epoch is the best. */
  readonly evaluate?: (model: Model, session: Session, signal?: AbortSignal) => Promise<EpochScore>;
  /** Before the steps of an epoch, or before the rest of them; what it returns is said. */
  readonly enterEpoch?: ((session: Session, state: RunState) => Promise<string | undefined>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface Run {
  readonly lines: readonly MetricsLine[];
  /** Epochs that were completed. */
  readonly epochs: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Mean loss over the last completed epoch. */
  readonly trainLoss: number;
  readonly best: { readonly epoch: number; readonly score: number };
  readonly freeze: FreezeReceipt | undefined;
  /** Speed-ups and the like, a sentence each. */
  readonly notes: readonly string[];
  /** The signal stopped it: everything is saved, and `resume` goes on. */
  readonly stopped: boolean;
}

/** Trains a model and leaves its checkpoints in the run directory. Stops cleanly between two steps when the signal says so.
 *  Throws E_LOSS_NOT_FINITE with the images of the step, and what data, engine and checkpoints throw. */
export async function train(
  model: Model,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
  hooks: TrainHooks,
): Promise<Run> {
  const { onProgress, signal } = hooks;
  onProgress?.({ phase: 'compile', done: 0, total: 1 });
  const trainer = await openTrainer(model, data, backend, options);
  const { state } = trainer;
  const resumed = options.resume && {
    earlier: await earlierLines(options.directory, state),
    resumedAt: state.step,
  };
  const log = await openLog(options.directory, resumed || {});
  const checkpoints = planCheckpoints(options.checkpointEvery, state.step);
  onProgress?.({ phase: 'compile', done: 1, total: 1 });
  for (const message of announce(trainer, data, options)) onProgress?.({ message });
  const clock = { images: 0, waited: 0, start: performance.now(), before: state.seconds, meter: startMeter() };
  let trainLoss = log.lines.findLast((line) => line.type === 'epoch')?.trainLoss ?? NaN;
  try {
    while (!isOver(state, options)) {
      const epochStart = performance.now();
      const thawed = await trainer.enterEpoch();
      const prepared = await hooks.enterEpoch?.(trainer.session, state);
      for (const message of [thawed, prepared]) if (message) onProgress?.({ message });
      const complete = await trainEpoch(trainer, data, log, checkpoints, options, hooks, clock);
      if (!complete) break;
      trainLoss = state.lossSum / state.batch;
      const finished = await finishEpoch(trainer, log, trainLoss, epochStart, options, hooks);
      if (!finished || signal?.aborted) break;
    }
    const stopped = !isOver(state, options);
    if (stopped) await trainer.saveLast();
    const elapsed = (performance.now() - clock.start) / 1000;
    const waiting = `The steps waited ${((100 * clock.waited) / 1000 / elapsed).toFixed(1)} % of the time for data.`;
    const notes = [...earlyNotes(state, options), waiting, ...trainer.notes()];
    for (const message of notes) onProgress?.({ message });
    return {
      lines: log.lines,
      epochs: state.epoch,
      seconds: state.seconds,
      imagesPerSecond: clock.images / elapsed,
      trainLoss,
      best: { epoch: state.bestEpoch, score: state.bestScore },
      freeze: await trainer.freezeReceipt(),
      notes,
      stopped,
    };
  } catch (error) {
    const explained = await explainError(error, trainer, data, options, hooks);
    await trainer.saveSound(); // an image that is gone, say, costs no step
    throw explained;
  } finally {
    await trainer.dispose();
    await log.close();
  }
}

interface Clock {
  images: number;
  /** Milliseconds. */
  waited: number;
  readonly start: number;
  /** Seconds of training before this process. */
  readonly before: number;
  /** Of the steps since the last line of the log. */
  meter: Meter;
}

/** The steps of one epoch, or the rest of them. False when the signal cut it short. */
async function trainEpoch(
  trainer: Trainer,
  data: Dataset,
  log: RunLog,
  checkpoints: CheckpointPlan,
  options: TrainOptions,
  hooks: TrainHooks,
  clock: Clock,
): Promise<boolean> {
  const { state, schedule, model, cache } = trainer;
  const { batch, epochs } = options;
  const stepsPerEpoch = schedule.totalSteps / epochs;
  let asked = performance.now();
  for await (const loaded of loadBatches(data, {
    ...loadingOf(trainer, options),
    signal: hooks.signal,
    encode: (sample) => model.task.encode(sample),
    isKnown: cache?.has,
  })) {
    const waited = performance.now() - asked;
    const { results, lr } = await trainer.step(loaded);
    if (state.step === 1) {
      const message = unlikelyStart(model, results, options.seed);
      if (message !== undefined) hooks.onProgress?.({ message });
    }
    clock.meter.add(results, waited, performance.now() - asked);
    clock.waited += waited;
    clock.images += batch;
    state.seconds = clock.before + (performance.now() - clock.start) / 1000;
    if (state.step % options.logEvery === 0) {
      log.step({
        type: 'step',
        step: state.step,
        epoch: state.step / stepsPerEpoch,
        lr,
        ...clock.meter.read(batch),
      });
      clock.meter = startMeter();
    }
    const text = `epoch ${state.epoch + 1}/${epochs}, loss ${(state.lossSum / state.batch).toFixed(3)}`;
    hooks.onProgress?.({ phase: 'train', done: state.step, total: schedule.totalSteps, text });
    if (hooks.signal?.aborted) break;
    if (checkpoints.isDue(state.step)) await trainer.saveLast();
    asked = performance.now();
  }
  return state.batch === stepsPerEpoch;
}

/** False when the signal cut it short. */
async function finishEpoch(
  trainer: Trainer,
  log: RunLog,
  trainLoss: number,
  epochStart: number,
  options: TrainOptions,
  hooks: TrainHooks,
): Promise<boolean> {
  const { state, model, session } = trainer;
  const epoch = state.epoch + 1;
  const due = epoch % options.evaluateEvery === 0 || epoch === options.epochs;
  const scored = due && hooks.evaluate ? await evaluateUntil(hooks.evaluate, hooks.signal, model, session) : undefined;
  if (scored === 'stopped') return false; // the state says that all steps of the epoch are done: it is evaluated when the run goes on
  const seconds = (performance.now() - epochStart) / 1000;
  if (scored)
    log.epoch({
      type: 'epoch',
      epoch,
      step: state.step,
      trainLoss,
      valLoss: scored.loss,
      metric: scored.metric,
      seconds,
    });
  const said = Object.entries(scored?.metric ?? {}).map(([name, value]) => `, ${name} ${value.toFixed(3)}`);
  const losses = `loss ${trainLoss.toFixed(3)}${scored ? `, validation ${scored.loss.toFixed(3)}` : ''}`;
  hooks.onProgress?.({
    message: `epoch ${epoch}/${options.epochs}: ${losses}${said.slice(0, 2).join('')}, ${seconds.toFixed(0)} s`,
  });
  if (scored && enterScore(state, { epoch, score: scored.score }, options)) await trainer.saveBest();
  Object.assign(state, { epoch, batch: 0, lossSum: 0 });
  await trainer.saveLast();
  return true;
}

/** Stops between two batches when the signal says so. */
async function evaluateUntil(
  evaluate: NonNullable<TrainHooks['evaluate']>,
  signal: AbortSignal | undefined,
  model: Model,
  session: Session,
): Promise<EpochScore | 'stopped'> {
  try {
    return await evaluate(model, session, signal);
  } catch (error) {
    if (signal?.aborted) return 'stopped';
    throw error;
  }
}

function earlyNotes(state: RunState, options: TrainOptions): string[] {
  if (state.epoch >= options.epochs || !stoppedEarly(state, options)) return [];
  return [
    `Stopped early, after ${state.epoch} of ${options.epochs} epochs: ${state.waiting.since} evaluations without a better one than that of epoch ${state.bestEpoch}.`,
  ];
}
