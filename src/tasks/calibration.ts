/** How far the scores of a model can be taken as probabilities, and what each threshold on them would give. */
export interface Calibration {
  /** What counts as right. */
  readonly rightIs: string;
  /** Predictions that were counted. */
  readonly predictions: number;
  /** Expected calibration error: the mean difference between the score and the share that is right, over predictions
   *  in ten bins of scores. Guo et al. 2017, eq. 3 (arXiv:1706.04599). */
  readonly ece: number;
  /** Bins that hold predictions. */
  readonly bins: readonly CalibrationBin[];
  readonly thresholds: readonly ThresholdRow[];
}

export interface CalibrationBin {
  /** Scores above `from`, up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly predictions: number;
  readonly meanScore: number;
  /** Share of the predictions that are right. */
  readonly precision: number;
}

/** What a model gives if only predictions with at least this score count. */
export interface ThresholdRow {
  readonly score: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface Judged {
  readonly score: number;
  readonly isRight: boolean;
}

const BINS = 10;
/** Thresholds of the table: 0.05, 0.1, … 0.95. */
const THRESHOLDS = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/** Compares scores with the share that is right. `total` is the number of things to find; predictions that score less
 *  than `least` are left out of the bins, since a detector makes thousands of them for every object. Returns undefined if
 *  none remains. */
export function calibrationOf(
  judged: readonly Judged[],
  { total, least, rightIs }: { readonly total: number; readonly least: number; readonly rightIs: string },
): Calibration | undefined {
  const counted = judged.filter(({ score }) => score >= least);
  if (counted.length === 0 || total === 0) return undefined;
  const bins = Array.from({ length: BINS }, (_, i) => {
    const inside = counted.filter(({ score }) => Math.min(BINS - 1, Math.max(0, Math.ceil(score * BINS) - 1)) === i);
    const mean = (value: (one: Judged) => number): number =>
      inside.reduce((sum, one) => sum + value(one), 0) / inside.length;
    const range = { from: i / BINS, to: (i + 1) / BINS, predictions: inside.length };
    return { ...range, meanScore: mean(({ score }) => score), precision: mean(({ isRight }) => Number(isRight)) };
  }).filter(({ predictions }) => predictions > 0);
  const ece = bins.reduce((sum, bin) => sum + bin.predictions * Math.abs(bin.meanScore - bin.precision), 0);
  const thresholds = THRESHOLDS.map((score): ThresholdRow => {
    const kept = judged.filter((one) => one.score >= score);
    const right = kept.filter(({ isRight }) => isRight).length;
    const [precision, recall] = [kept.length > 0 ? right / kept.length : 0, right / total];
    return { score, precision, recall, f1: right > 0 ? (2 * right) / (total + kept.length) : 0 };
  });
  return { rightIs, predictions: counted.length, ece: ece / counted.length, bins, thresholds };
}
