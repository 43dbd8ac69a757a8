import { invariant } from '../errors.js';
import type { Score } from '../tasks/evaluator.js';

/** What tells the better of two epochs, higher is better: the number of the evaluation that `evaluate.best` names, the loss with its sign turned. */
export function rankOf(best: string, { loss, metric }: { readonly loss: number; readonly metric: Score }): number {
  if (best === 'loss') return -loss;
  const value = Object.entries(metric).find(([name]) => name === best)?.[1] as unknown;
  invariant(typeof value === 'number', `${metric.metric} has no number ${best}`);
  return value;
}

/** The number as it is printed, from its rank. */
export const rankedValue = (best: string, rank: number): number => (best === 'loss' ? -rank : rank);

/** Whether the part has what the number measures: COCO's are −1 where no object is of that size. */
export const isMeasured = (best: string, rank: number): boolean => best === 'loss' || rank >= 0;

/** What is said where nothing is. */
export const unmeasured = (best: string): string =>
  `Nothing in the validation part is what ${best} measures: no epoch is better than another. Set evaluate.best to another number.`;
