import type { Results } from '../../engine/engine.js';
import type { ProgressEvent } from '../../progress.js';
import type { RunLog } from './log.js';
import { startMeter } from './meter.js';
import type { TrainOptions } from '../options.js';
import type { EpochScore } from './record.js';
import type { Trainer } from '../trainer.js';

export interface TrackedStep {
  readonly results: Results;
  readonly lr: number;
  /** Milliseconds that the step waited for its batch, and those that it took in all. */
  readonly waited: number;
  readonly taken: number;
}

export type Tracker = ReturnType<typeof startTracker>;

/** Measures a run, and reports its steps and epochs to the log and to `onProgress`. */
export function startTracker(
  { state, plan: { schedule } }: Trainer,
  log: RunLog,
  { batch: own, share, epochs, logEvery }: TrainOptions,
  onProgress: ((event: ProgressEvent) => void) | undefined,
) {
  const batch = own * share.count;
  const start = performance.now();
  const secondsBefore = state.seconds;
  const secondsSince = (time: number): number => (performance.now() - time) / 1000;
  let epochStart = start;
  let meter = startMeter();
  let images = 0;
  let waitedMs = 0;
  let trainLoss = log.lines.findLast((line) => line.type === 'epoch')?.trainLoss ?? NaN;
  return {
    startEpoch(): void {
      epochStart = performance.now();
    },
    step({ results, lr, waited, taken }: TrackedStep): void {
      meter.add(results, waited, taken);
      waitedMs += waited;
      images += batch;
      state.seconds = secondsBefore + secondsSince(start);
      const { step } = state;
      if (step % logEvery === 0) {
        log.step({ type: 'step', step, epoch: step / schedule.stepsPerEpoch, lr, ...meter.read(batch) });
        meter = startMeter();
      }
      const text = `epoch ${state.epoch + 1}/${epochs}, loss ${(state.lossSum / state.batch).toFixed(3)}`;
      onProgress?.({ phase: 'train', done: step, total: schedule.totalSteps, text });
    },
    /** After the steps of an epoch, with its evaluation where there is one. */
    epoch(scored: EpochScore | undefined): void {
      const epoch = state.epoch + 1;
      const seconds = secondsSince(epochStart);
      trainLoss = state.lossSum / state.batch;
      if (scored) {
        const { loss: valLoss, metric } = scored;
        log.epoch({ type: 'epoch', epoch, step: state.step, trainLoss, valLoss, metric, seconds });
      }
      const numbers = Object.entries(scored?.metric ?? {}).map(([name, value]) => `, ${name} ${value.toFixed(3)}`);
      const losses = `loss ${trainLoss.toFixed(3)}${scored ? `, validation ${scored.loss.toFixed(3)}` : ''}`;
      const message = `epoch ${epoch}/${epochs}: ${losses}${numbers.slice(0, 2).join('')}, ${seconds.toFixed(0)} s`;
      onProgress?.({ message });
    },
    summary() {
      const elapsed = secondsSince(start);
      const waiting = ((100 * waitedMs) / 1000 / elapsed).toFixed(1);
      return {
        seconds: state.seconds,
        imagesPerSecond: images / elapsed,
        /** Mean loss over the last completed epoch. */
        trainLoss,
        waiting: `The steps waited ${waiting} % of the time for data.`,
      };
    },
  };
}
