import { calibrationOf, type Calibration } from '../tasks/calibration.js';
import type { OperatingPoint } from '../tasks/evaluator.js';

/** The detections of one class over a whole data set, best score first, at one or more IoU thresholds. Bit t of `hit`
 *  is set if a detection is a true positive at threshold t, bit t of `ignored` if it does not count there. */
export interface ClassMatches {
  readonly name: string;
  /** Index of the image of each detection. [N] */
  readonly image: Int32Array;
  /** [N] */
  readonly score: Float64Array;
  readonly hit: Uint16Array; // [N]
  readonly ignored: Uint16Array; // [N]
  /** Number of objects of the class to find in each image. [I] */
  readonly objects: Uint32Array;
}

/** All matches of a data set: the basis of curves, scores of images, and resampling. */
export interface Matches {
  /** Names of the images. */
  readonly images: readonly string[];
  readonly thresholds: readonly number[];
  readonly classes: readonly ClassMatches[];
}

/** A precision–recall curve: a point for every detection that counts, best score first. */
export interface Curve {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  readonly score: Float64Array;
}

/** Precision and recall as the threshold on the score decreases; recall is NaN if there is nothing to find. */
export function curveOf({ hit, ignored, score, objects }: ClassMatches, threshold = 0): Curve {
  const bit = 1 << threshold;
  const total = objects.reduce((sum, count) => sum + count, 0);
  const counted = Int32Array.from(score.keys()).filter((i) => (ignored[i]! & bit) === 0);
  let hits = 0;
  const recall = new Float64Array(counted.length);
  const precision = new Float64Array(counted.length);
  counted.forEach((i, place) => {
    if (hit[i]! & bit) hits++;
    recall[place] = hits / total;
    precision[place] = hits / (place + 1);
  });
  return { recall, precision, score: Float64Array.from(counted, (i) => score[i]!) };
}

/** The result of one image at one threshold on the score. */
export interface ImageCounts {
  readonly name: string;
  readonly objects: number;
  readonly hits: number;
  readonly falseAlarms: number;
  /** Harmonic mean of precision and recall; 1 if there is no object and no detection. */
  readonly f1: number;
}

/** Counts of every image at the threshold on the score with the best F1 over all images (first IoU threshold). */
export function countByImage({ images, classes }: Matches): { readonly score: number; readonly images: ImageCounts[] } {
  const score = bestScore(classes);
  const objects = new Float64Array(images.length);
  const hits = new Float64Array(images.length);
  const wrong = new Float64Array(images.length);
  for (const { image, hit, ignored, score: scores, objects: counts } of classes) {
    counts.forEach((count, i) => (objects[i]! += count));
    for (let d = 0; d < scores.length && scores[d]! >= score; d++) {
      if (hit[d]! & 1) hits[image[d]!]!++;
      else if (!(ignored[d]! & 1)) wrong[image[d]!]!++;
    }
  }
  const rows = images.map((name, i): ImageCounts => {
    const [found, all, extra] = [hits[i]!, objects[i]!, wrong[i]!];
    const f1 = all + extra === 0 ? 1 : (2 * found) / (all + found + extra);
    return { name, objects: all, hits: found, falseAlarms: extra, f1 };
  });
  return { score, images: rows };
}

/** The threshold on the score at which the detections of all classes together have the best F1; infinite if no
 *  detection is right. */
export const bestScore = (classes: readonly ClassMatches[]): number =>
  operatingPointOf(classes)?.scoreThreshold ?? Infinity;

/** The threshold on the score with the best F1 over all classes (first IoU threshold), and that F1; undefined if no
 *  detection is right. */
export function operatingPointOf(classes: readonly ClassMatches[]): OperatingPoint | undefined {
  const all = classes.flatMap(({ score, hit, ignored }) =>
    [...score].flatMap((value, d) => (ignored[d]! & 1 ? [] : [[value, hit[d]! & 1] as const])),
  );
  all.sort((a, b) => b[0] - a[0]);
  const total = classes.reduce((sum, { objects }) => sum + objects.reduce((a, b) => a + b, 0), 0);
  let [hits, best, score] = [0, 0, Infinity];
  all.forEach(([value, isHit], i) => {
    hits += isHit;
    if (all[i + 1]?.[0] === value) return; // a threshold separates no detections of equal scores
    const f1 = (2 * hits) / (total + i + 1);
    if (f1 > best) [best, score] = [f1, value];
  });
  return best > 0 ? { scoreThreshold: score, f1: best } : undefined;
}

/** Scores of detections that are left out of the bins: a run keeps very many of them. */
const LEAST_SCORE = 0.05;

/** How reliable the scores of detections are (first IoU threshold). */
export function calibrationOfMatches(classes: readonly ClassMatches[]): Calibration | undefined {
  const judged = classes.flatMap(({ score, hit, ignored }) =>
    [...score].flatMap((value, d) => (ignored[d]! & 1 ? [] : { score: value, isRight: (hit[d]! & 1) === 1 })),
  );
  const total = classes.reduce((sum, { objects }) => sum + objects.reduce((a, b) => a + b, 0), 0);
  const rightIs = 'a box that has IoU 0.5 with an object of its class that no better box has found';
  return calibrationOf(judged, { total, least: LEAST_SCORE, rightIs });
}

/** The lowest of the thresholds with the best F1; undefined if that is 0. */
export function bestThreshold(
  thresholds: readonly number[],
  f1At: (least: number) => number,
): OperatingPoint | undefined {
  let best: OperatingPoint | undefined;
  for (const scoreThreshold of thresholds) {
    const f1 = f1At(scoreThreshold);
    if (f1 > (best?.f1 ?? 0)) best = { scoreThreshold, f1 };
  }
  return best;
}
