/** Successive halving (Li et al. 2020, arXiv:1810.05934): every setting is trained for a ninth of the epochs, the best third
 *  of them for a third, and the best third of those to the end. As in ASHA none waits for all others of its rung, but
 *  one goes on only when every setting has begun: ASHA, which has no end of settings, promotes the best of the first three
 *  at once, and with few of them trains most of those that lead for a while. */

/** One of so many settings goes on from each rung. */
const REDUCTION = 3;
const RUNGS = 3;

/** A setting in training. */
export interface Trial {
  /** Its best validation score at each rung that it has reached; higher is better. */
  readonly scores: readonly number[];
  readonly isRunning: boolean;
  /** A setting whose run has failed is not tried again. */
  readonly hasFailed: boolean;
}

/** The epochs at which settings are compared, rising; the last one is the end of the run. Each is evaluated:
 *  a multiple of `evaluateEvery`. */
export function rungsOf({
  epochs,
  evaluateEvery,
}: {
  readonly epochs: number;
  readonly evaluateEvery: number;
}): number[] {
  const rungs = Array.from({ length: RUNGS }, (_, i) => epochs / REDUCTION ** (RUNGS - 1 - i));
  return [...new Set(rungs.map((rung) => Math.min(epochs, Math.ceil(rung / evaluateEvery) * evaluateEvery)))];
}

/** The setting to train next, and the rung to train it to: a new one, or else one that is among the best third of its rung,
 *  of the lowest rung that has one. Undefined if there is none until a running one ends, or at all. */
export function nextTrial(
  trials: readonly Trial[],
  rungs: number,
): { readonly index: number; readonly rung: number } | undefined {
  const isIdle = ({ isRunning, hasFailed }: Trial): boolean => !isRunning && !hasFailed;
  const fresh = trials.findIndex((trial) => trial.scores.length === 0 && isIdle(trial));
  if (fresh >= 0) return { index: fresh, rung: 0 };
  for (let rung = 0; rung < rungs - 1; rung++) {
    const index = best(trials, rung, (count) => Math.floor(count / REDUCTION)).find(
      (one) => trials[one]!.scores.length === rung + 1 && isIdle(trials[one]!),
    );
    if (index !== undefined) return { index, rung: rung + 1 };
  }
  // Few settings have no third. One of them is trained to the end all the same.
  const highest = Math.max(0, ...trials.map(({ scores }) => scores.length));
  if (highest === 0 || highest === rungs || trials.some(({ isRunning }) => isRunning)) return undefined;
  const [index] = best(trials, highest - 1, () => 1);
  return index === undefined || !isIdle(trials[index]!) ? undefined : { index, rung: highest };
}

/** The best trials of a rung: as many as `share` gives of those that have reached it. */
function best(trials: readonly Trial[], rung: number, share: (count: number) => number): number[] {
  const reached = trials.flatMap(({ scores, hasFailed }, index) => (scores.length > rung && !hasFailed ? [index] : []));
  return reached
    .sort((one, other) => trials[other]!.scores[rung]! - trials[one]!.scores[rung]!)
    .slice(0, share(reached.length));
}
