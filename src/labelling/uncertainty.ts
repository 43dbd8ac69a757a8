/** How unsure a model is of an image, and why. */
export interface Uncertainty {
  /** 0…1. */
  readonly value: number;
  readonly reason: string;
}

/** Value of an image on which nothing is in doubt: it comes after the others, and new scenes among them first. */
const NO_DOUBT = 0.02;
/** Doubt about a detection from which it counts: 0.5 is half of the way from the threshold to 0 or 1. */
const DOUBTED = 0.5;
/** Detections that a reason names. */
const NAMED = 3;

/** The doubt of a detector: scores near the threshold, where a label decides between an object and none. Each of them
 *  counts as the probability that its label teaches something. Best first. */
export function detectorDoubt(
  found: readonly { readonly category: string; readonly score: number }[],
  threshold: number,
): Uncertainty {
  const doubted = found
    .map(({ category, score }) => ({ category, score, doubt: doubtOf(score, threshold) }))
    .filter(({ doubt }) => doubt >= DOUBTED)
    .sort((a, b) => b.doubt - a.doubt);
  if (doubted.length === 0) {
    const reason = found.some(({ score }) => score >= threshold) ? 'every object is clear' : 'nothing is found';
    return { value: NO_DOUBT, reason };
  }
  const clear = doubted.reduce((product, { doubt }) => product * (1 - doubt ** 2 * MOST_DOUBT), 1);
  const named = doubted.slice(0, NAMED).map(({ category, score }) => `${category} ${score.toFixed(2)}`);
  const more = doubted.length > NAMED ? ` and ${doubted.length - NAMED} more` : '';
  return { value: 1 - clear, reason: `near the threshold of ${threshold.toFixed(2)}: ${named.join(', ')}${more}` };
}

/** Value of a single detection exactly at the threshold, so that several count for more than one. */
const MOST_DOUBT = 0.5;

const doubtOf = (score: number, threshold: number): number =>
  1 - (score < threshold ? (threshold - score) / threshold : (score - threshold) / (1 - threshold || 1));

/** The doubt of a classifier: the entropy of its probabilities, as a share of the largest one for so many classes. The
 *  probability that `found` does not list is spread evenly over the other classes. */
export function classifierDoubt(
  found: readonly { readonly category: string; readonly probability: number }[],
  classes: number,
): Uncertainty {
  const rest = Math.max(0, 1 - found.reduce((sum, { probability }) => sum + probability, 0));
  const others = Math.max(0, classes - found.length);
  const spread = others > 0 ? others * entropyOf(rest / others) : 0;
  const entropy = found.reduce((sum, { probability }) => sum + entropyOf(probability), spread);
  const named = found.slice(0, 2).map(({ category, probability }) => `${category} ${probability.toFixed(2)}`);
  const value = classes > 1 ? entropy / Math.log(classes) : 0;
  return { value: Math.max(NO_DOUBT, Math.min(1, value)), reason: named.join(' or ') };
}

const entropyOf = (p: number): number => (p > 0 ? -p * Math.log(p) : 0);
