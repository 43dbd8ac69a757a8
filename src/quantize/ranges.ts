/** Which range of values the 256 levels of a quantised value stand for. */

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** `minMax` covers every value that was seen; `percentile` all but the rarest 0.01 %; `mse` has the least squared error. */
export const CALIBRATIONS = ['minMax', 'percentile', 'mse'] as const;
export type Calibration = (typeof CALIBRATIONS)[number];

/** Numbers of values that were seen in equal parts of a range. */
export interface Histogram extends Range {
  readonly counts: Float64Array;
}

const BINS = 2048;
/** Share of the values that `percentile` leaves out at either end. */
const RARE = 1e-4;
const LEVELS = 255;

/** The range with 0 in it, so that zeros of paddings have a level. */
export const withZero = ({ min, max }: Range): Range => ({ min: Math.min(min, 0), max: Math.max(max, 0) });

/** Widens a range by the values; those that are not finite are passed over. */
export function widen({ min, max }: Range, values: Float32Array): Range {
  let [least, most] = [min, max];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { min: least, max: most };
}
export const nothingSeen: Range = { min: Infinity, max: -Infinity };

export const createHistogram = (range: Range): Histogram => ({ ...withZero(range), counts: new Float64Array(BINS) });

/** Counts the values. */
export function addValues({ min, max, counts }: Histogram, values: Float32Array): void {
  const factor = max > min ? BINS / (max - min) : 0;
  for (const value of values) {
    const bin = Math.floor((value - min) * factor);
    if (bin >= 0) counts[Math.min(bin, BINS - 1)]! += 1;
  }
}

/** Chooses the range to represent. */
export function chooseRange(histogram: Histogram, method: Calibration): Range {
  if (method === 'minMax') return { min: histogram.min, max: histogram.max };
  return method === 'mse' ? leastError(histogram) : withoutRare(histogram);
}

function withoutRare({ min, max, counts }: Histogram): Range {
  const width = (max - min) / BINS;
  const rare = counts.reduce((sum, count) => sum + count, 0) * RARE;
  const cut = (bins: Float64Array): number => {
    let passed = 0;
    for (const [i, count] of bins.entries()) {
      passed += count;
      if (passed > rare) return i;
    }
    return 0;
  };
  return withZero({ min: min + cut(counts) * width, max: max - cut(counts.slice().reverse()) * width });
}

/** Tries ranges that are shrunk towards 0, at steps of 2 %. */
function leastError(histogram: Histogram): Range {
  const { min, max } = histogram;
  let best = { range: { min, max }, error: squaredError(histogram, { min, max }) };
  for (let share = 0.98; share > 0.2; share -= 0.02) {
    const range = { min: min * share, max: max * share };
    const error = squaredError(histogram, range);
    if (error < best.error) best = { range, error };
  }
  return best.range;
}

/** A value inside the range errs by a twelfth of the squared step on average, one outside by its distance. */
function squaredError({ min, max, counts }: Histogram, range: Range): number {
  const width = (max - min) / BINS;
  const inside = ((range.max - range.min) / LEVELS) ** 2 / 12;
  let error = 0;
  for (const [i, count] of counts.entries()) {
    const value = min + (i + 0.5) * width;
    const beyond = value < range.min ? range.min - value : value > range.max ? value - range.max : 0;
    error += count * (beyond > 0 ? beyond ** 2 : inside);
  }
  return error;
}
