import { randomStream } from '../random.js';
import { combine, type IcdarResult } from './hmean.js';
import type { ClassMatches, Matches } from './matches.js';
import { averagePrecision, meanMeasured, type VocYear } from './voc.js';

/** The bounds of the interval that contains 95 % of the samples. */
type Interval = readonly [low: number, high: number];
export type Intervals = Readonly<Record<string, Interval>>;

/** How often each image occurs in a sample. */
type Weights = Uint32Array;

/** Bootstrap over images (Efron 1979): images are drawn with replacement, as many as there are, `samples` times, and
 *  `measure` scores each sample. The interval of a number runs from the 2.5th to the 97.5th percentile of its samples,
 *  shifted so that the samples' mean is the score of the images themselves: with fewer different images, the enveloped
 *  precision is a little too high. */
export function bootstrap(
  images: number,
  { samples, seed = 0 }: { readonly samples: number; readonly seed?: number },
  measure: (weights: Weights) => Readonly<Record<string, number>>,
): Intervals {
  const stream = randomStream(seed, 'bootstrap');
  const values = new Map<string, number[]>();
  const weights = new Uint32Array(images);
  for (let sample = 0; sample < samples; sample++) {
    weights.fill(0);
    for (let draw = 0; draw < images; draw++) weights[stream.integer(0, images)]!++;
    for (const [name, value] of Object.entries(measure(weights))) {
      if (value < 0) continue; // the sample has nothing to measure
      if (!values.has(name)) values.set(name, []);
      values.get(name)!.push(value);
    }
  }
  const whole = measure(weights.fill(1));
  return Object.fromEntries([...values].map(([name, list]) => [name, interval(list, whole[name]!)]));
}

function interval(values: readonly number[], whole: number): Interval {
  const ascending = Float64Array.from(values).sort();
  const bias = values.reduce((sum, value) => sum + value, 0) / values.length - whole;
  const at = (part: number) => {
    const place = part * (ascending.length - 1);
    const [below, above] = [ascending[Math.floor(place)]!, ascending[Math.ceil(place)]!];
    return Math.min(1, Math.max(0, below + (place % 1) * (above - below) - bias));
  };
  return [at(0.025), at(0.975)];
}

/** Precision, recall and Hmean of resampled images. */
export const bootstrapIcdar = ({ score, images }: IcdarResult, samples: number): Intervals =>
  bootstrap(images.length, { samples }, (weights) => {
    const { precision, recall, hmean } = combine(score.protocol, images, weights).score;
    return { precision, recall, hmean };
  });

export const bootstrapVoc = ({ images, classes }: Matches, year: VocYear, samples: number): Intervals =>
  bootstrap(images.length, { samples }, (weights) => ({
    mAP: meanMeasured(classes.flatMap((entry) => measure(entry, 1, weights, (curve) => averagePrecision(curve, year)))),
  }));

/** AP and AP50 over all areas. */
export const bootstrapCoco = ({ images, classes, thresholds }: Matches, samples: number): Intervals =>
  bootstrap(images.length, { samples }, (weights) => {
    const byClass = classes.map((entry) => measure(entry, thresholds.length, weights, at101Recalls));
    return { AP: meanMeasured(byClass.flat()), AP50: meanMeasured(byClass.map(([first]) => first!)) };
  });

interface Points {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
}

/** Score the curves of a class in a sample, one for each IoU threshold, at the hits only: precision falls between them.
 *  −1 if the sample lacks the class. Most detections are false at every threshold: they are counted once for all. */
function measure(
  { image, hit, ignored, objects }: ClassMatches,
  thresholds: number,
  weights: Weights,
  score: (points: Points) => number,
): number[] {
  let total = 0;
  for (let i = 0; i < objects.length; i++) total += objects[i]! * weights[i]!;
  if (total === 0) return Array.from({ length: thresholds }, () => -1);
  const special: number[] = []; // detections that are a hit, or ignored, at some threshold
  const falseBefore: number[] = []; // number of detections that are false at every threshold, before each special one
  let common = 0;
  for (let d = 0; d < image.length; d++) {
    const weight = weights[image[d]!]!;
    if (weight === 0) continue;
    if ((hit[d]! | ignored[d]!) === 0) {
      common += weight;
    } else {
      special.push(d);
      falseBefore.push(common);
    }
  }
  return Array.from({ length: thresholds }, (_, t) => {
    const bit = 1 << t;
    const recall = new Float64Array(special.length);
    const precision = new Float64Array(special.length);
    let [length, hits, ownFalse] = [0, 0, 0];
    for (let s = 0; s < special.length; s++) {
      const d = special[s]!;
      const weight = weights[image[d]!]!;
      if (hit[d]! & bit) {
        hits += weight;
        recall[length] = hits / total;
        precision[length++] = hits / (hits + ownFalse + falseBefore[s]!);
      } else if (!(ignored[d]! & bit)) {
        ownFalse += weight;
      }
    }
    return score({ recall: recall.subarray(0, length), precision: precision.subarray(0, length) });
  });
}

/** COCO's average precision: the mean of the enveloped precision at the recalls 0, 0.01 … 1. */
function at101Recalls({ recall, precision }: Points): number {
  let sum = 0;
  let best = 0;
  let i = recall.length - 1;
  for (let step = 100; step >= 0; step--) {
    for (; i >= 0 && recall[i]! >= step / 100; i--) best = Math.max(best, precision[i]!);
    sum += best;
  }
  return sum / 101;
}
