import type { ModelDescription } from './description/description.js';

/** The least score of what a model returns, and who chose it. */
export interface ChosenThreshold {
  readonly value: number;
  /** `asked`: the caller; `run`: it has the best F1 on the validation part of the run (metrics.json, or the
   *  card of an exported model); `usual`: the run
   *  has none, or there is no run. */
  readonly chosenBy: 'asked' | 'run' | 'usual';
}

/** Least scores without a run that measured a better one. A classifier returns its most probable classes, and the words
 *  of a text detector have passed the thresholds on its maps. */
const USUAL = { detection: 0.3, classification: 0, text: 0 } as const;

/** Chooses the least score for a model: the asked one, else the one that its run measured. */
export function chooseThreshold(
  { task }: Pick<ModelDescription, 'task'>,
  asked: number | undefined,
  measured: number | undefined,
): ChosenThreshold {
  if (asked !== undefined) return { value: asked, chosenBy: 'asked' };
  return measured === undefined ? { value: USUAL[task], chosenBy: 'usual' } : { value: measured, chosenBy: 'run' };
}
