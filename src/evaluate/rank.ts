import { invariant } from '../errors.js';
import type { Score } from '../tasks/evaluator.js';

/** The value by which epochs are compared, higher is better: the number of the evaluation that `evaluate.best` names,
 *  or the negative loss. */
export function rankOf(best: string, { loss, metric }: { readonly loss: number; readonly metric: Score }): number {
  if (best === 'loss') return -loss;
  const value = Object.entries(metric).find(([name]) => name === best)?.[1] as unknown;
  invariant(typeof value === 'number', `${metric.metric} has no number ${best}`);
  return value;
}

/** The number as it is printed, given its rank. */
export const rankedValue = (best: string, rank: number): number => (best === 'loss' ? -rank : rank);

/** Whether the number could be measured: COCO's are −1 if no object has that size. */
export const isMeasured = (best: string, rank: number): boolean => best === 'loss' || rank >= 0;

/** Warning shown when no object of the validation part can be measured by the number. */
export const unmeasured = (best: string): string =>
  `The validation part has no object that ${best} measures, so no epoch is better than another. Set evaluate.best to another number.`;
