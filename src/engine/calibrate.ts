import { FinetuneError } from '../errors.js';
import {
  addValues,
  chooseRange,
  createHistogram,
  nothingSeen,
  widen,
  type Calibration,
  type Histogram,
  type Range,
} from '../quantize/ranges.js';
import type { Feeds, Results } from './engine.js';

/** Runs a float32 model that returns values between its layers on all feeds, and chooses a range for each named value.
 *  Throws E_QUANTIZE for a value that is never finite, and if there is nothing to calibrate with. */
export async function calibrate(
  run: (feeds: Feeds) => Promise<Results>,
  names: readonly string[],
  feeds: readonly Feeds[],
  method: Calibration,
): Promise<ReadonlyMap<string, Range>> {
  if (feeds.length === 0)
    throw new FinetuneError({ code: 'E_QUANTIZE', message: 'there are no images to calibrate with', fix: 'give some' });
  const seen = new Map<string, Range>();
  for (const fed of feeds) {
    for (const [name, values] of Object.entries(await run(fed)))
      seen.set(name, widen(seen.get(name) ?? nothingSeen, values));
  }
  const wrong = names.filter((name) => !Number.isFinite(seen.get(name)?.min));
  if (wrong.length > 0) {
    const message = `calibration found no finite value of ${wrong.slice(0, 3).join(', ')}`;
    const fix = 'calibrate with images, on a model with finite weights';
    throw new FinetuneError({ code: 'E_QUANTIZE', message, fix });
  }
  if (method === 'minMax') return seen;
  const histograms = new Map<string, Histogram>(names.map((name) => [name, createHistogram(seen.get(name)!)]));
  for (const fed of feeds) {
    for (const [name, values] of Object.entries(await run(fed))) addValues(histograms.get(name)!, values);
  }
  return new Map([...histograms].map(([name, histogram]) => [name, chooseRange(histogram, method)]));
}

/** Feeds that means are taken over: they settle sooner than the ends of ranges. */
const FEEDS_OF_MEANS = 16;

/** The mean of each channel of values in the order N, C and then places; `channels` has the number of channels of each. */
export async function channelMeans(
  run: (feeds: Feeds) => Promise<Results>,
  channels: ReadonlyMap<string, number>,
  feeds: readonly Feeds[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const sums = new Map([...channels].map(([name, count]) => [name, new Float64Array(count)]));
  const few = feeds.slice(0, FEEDS_OF_MEANS);
  for (const fed of few) {
    const values = await run(fed);
    for (const [name, sum] of sums) {
      const places = values[name]!.length / sum.length;
      values[name]!.forEach((value, i) => (sum[Math.floor(i / places)]! += value / places));
    }
  }
  return new Map([...sums].map(([name, sum]) => [name, Float32Array.from(sum, (value) => value / few.length)]));
}

/** The largest difference of an output as a share of its own size, √(Σ difference² / Σ value²). */
export function difference(ours: readonly Results[], expected: readonly Results[]): number {
  const keys = Object.keys(expected[0]!);
  return Math.max(
    ...keys.map((key) => {
      let [off, all] = [0, 1e-12];
      expected.forEach((result, i) => {
        const [a, b] = [ours[i]![key]!, result[key]!];
        for (let k = 0; k < b.length; k++) {
          off += (a[k]! - b[k]!) ** 2;
          all += b[k]! ** 2;
        }
      });
      return Math.sqrt(off / all);
    }),
  );
}
