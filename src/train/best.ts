import { afterEvaluation, type ScheduleShape } from './schedule.js';
import type { RunState } from './checkpoint/state.js';

export interface EarlyStop {
  /** Evaluations in a row without a better score that end the run. */
  readonly patience: number;
  /** A score counts as better when it is higher by more than this. */
  readonly minDelta: number;
}

interface Stopping {
  readonly earlyStop: EarlyStop | false;
}

/** A number that JSON can hold, unlike -Infinity. */
const LOWEST = -Number.MAX_VALUE;

/** Records the score of an epoch, counted from 1, in the state: for the best checkpoint, the schedule `plateau` and
 *  early stopping.
 *  Returns whether the score is the best so far. */
export function enterScore(
  state: RunState,
  { epoch, score: found }: { readonly epoch: number; readonly score: number },
  { schedule, earlyStop }: Stopping & { readonly schedule: ScheduleShape },
): boolean {
  const score = Number.isNaN(found) ? LOWEST : found; // no later score would be higher than NaN
  const better = state.bestEpoch === 0 || score > state.bestScore;
  state.plateau = afterEvaluation(state.plateau, better, schedule);
  const { mark, since } = state.waiting;
  const rose = mark === null || score > mark + (earlyStop ? earlyStop.minDelta : 0);
  state.waiting = rose ? { mark: score, since: 0 } : { mark, since: since + 1 };
  if (better) Object.assign(state, { bestScore: score, bestEpoch: epoch });
  return better;
}

/** Whether the run stops early, as with Keras' EarlyStopping: after `patience` evaluations without a score that beats
 *  the best before them. */
export const stoppedEarly = ({ waiting }: RunState, { earlyStop }: Stopping): boolean =>
  earlyStop !== false && waiting.since >= earlyStop.patience;

/** Whether nothing is left to train. */
export const isOver = (state: RunState, options: Stopping & { readonly epochs: number }): boolean =>
  state.epoch >= options.epochs || stoppedEarly(state, options);
