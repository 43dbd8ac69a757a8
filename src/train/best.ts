import type { RunState } from './checkpoint.js';
import { afterEvaluation } from './schedule.js';
import type { TrainOptions } from './trainer.js';

export interface EarlyStop {
  /** Evaluations in a row without a better score that end the run. */
  readonly patience: number;
  /** A score is better here when it is higher by more than this. */
  readonly minDelta: number;
}

/** Enters the score of an epoch, counted from 1, into the state, for the plateau and early stopping too → whether it is the best so far. */
export function enterScore(
  state: RunState,
  { epoch, score }: { readonly epoch: number; readonly score: number },
  { schedule, earlyStop }: Pick<TrainOptions, 'schedule' | 'earlyStop'>,
): boolean {
  const better = state.bestEpoch === 0 || score > state.bestScore;
  state.plateau = afterEvaluation(state.plateau, better, schedule);
  const { mark, since } = state.waiting;
  const rose = mark === null || score > mark + (earlyStop ? earlyStop.minDelta : 0);
  state.waiting = rose ? { mark: score, since: 0 } : { mark, since: since + 1 };
  if (better) Object.assign(state, { bestScore: score, bestEpoch: epoch });
  return better;
}

/** Whether the run stopped early, as Keras' EarlyStopping does: `patience` evaluations without a score better than the best before them. */
export const stoppedEarly = ({ waiting }: RunState, { earlyStop }: Pick<TrainOptions, 'earlyStop'>): boolean =>
  earlyStop !== false && waiting.since >= earlyStop.patience;

/** Whether nothing is left to train. */
export const isOver = (state: RunState, options: Pick<TrainOptions, 'epochs' | 'earlyStop'>): boolean =>
  state.epoch >= options.epochs || stoppedEarly(state, options);
