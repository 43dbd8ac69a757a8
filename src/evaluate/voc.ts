import type { InclusiveCorners } from '../data/formats/vocXml.js';
import type { ClassMatches, Curve, Matches } from './matches.js';
import { curveOf } from './matches.js';
import type { VocDetection } from './vocDetections.js';
import type { VocTruth } from './vocTruth.js';

export type VocYear = 2007 | 2012;

export interface VocScore {
  readonly metric: 'voc';
  readonly year: VocYear;
  /** Mean over the classes that have an object that is not difficult. */
  readonly mAP: number;
  /** Fractions by class; −1 for a class of which there are only difficult objects. */
  readonly AP: Readonly<Record<string, number>>;
}

export interface VocResult {
  readonly score: VocScore;
  readonly curves: ReadonlyMap<string, Curve>;
  readonly matches: Matches;
}

/** A detection must have an IoU above this. The devkit's own script also accepts exactly 0.5; py-faster-rcnn's does
 *  not. */
const IOU_THRESHOLD = 0.5;

/** Average precision as in VOCdevkit and py-faster-rcnn's voc_eval.py. Corners are 1-based and belong to the box (width
 *  x2 − x1 + 1). In the order of their scores, detections match the object that they overlap most; only the first match
 *  of an object is a hit, later ones are false, and a match with a difficult object does not count. 2007: 11 recalls;
 *  2012: the whole area. */
export function scoreVoc(truth: VocTruth, detections: readonly VocDetection[], year: VocYear): VocResult {
  const matches = matchVoc(truth, detections);
  const curves = new Map(matches.classes.map((entry) => [entry.name, curveOf(entry)]));
  const AP = Object.fromEntries(
    matches.classes.map(({ name, objects }) => {
      const measurable = objects.some((count) => count > 0);
      return [name, measurable ? averagePrecision(curves.get(name)!, year) : -1];
    }),
  );
  return { score: { metric: 'voc', year, mAP: meanMeasured(Object.values(AP)), AP }, curves, matches };
}

/** Mean of the values that could be measured; −1 if there is none. */
export function meanMeasured(values: readonly number[]): number {
  const measured = values.filter((value) => value >= 0);
  return measured.length === 0 ? -1 : measured.reduce((sum, value) => sum + value, 0) / measured.length;
}

/** Average precision of a curve, whose points are in the order of decreasing scores. */
export const averagePrecision = (curve: Pick<Curve, 'recall' | 'precision'>, year: VocYear): number =>
  year === 2007 ? at11Recalls(curve) : areaUnder(curve);

/** VOC2007: the mean, over recalls 0, 0.1 … 1, of the best precision at that recall or beyond. */
function at11Recalls({ recall, precision }: Pick<Curve, 'recall' | 'precision'>): number {
  let sum = 0;
  for (let step = 0; step <= 10; step++) {
    const wanted = step * 0.1; // numpy's arange(0, 1.1, 0.1): 0.30000000000000004 is not 3/10, and the scripts compare so
    let best = 0;
    for (let i = recall.length - 1; i >= 0 && recall[i]! >= wanted; i--) best = Math.max(best, precision[i]!);
    sum += best;
  }
  return sum / 11;
}

/** VOC2010 and later: the area under the precision, after it is made monotonically decreasing. */
function areaUnder({ recall, precision }: Pick<Curve, 'recall' | 'precision'>): number {
  const envelope = Float64Array.from(precision);
  for (let i = envelope.length - 2; i >= 0; i--) envelope[i] = Math.max(envelope[i]!, envelope[i + 1]!);
  let area = 0;
  let before = 0;
  envelope.forEach((height, i) => {
    area += (recall[i]! - before) * height;
    before = recall[i]!;
  });
  return area;
}

function matchVoc({ images, classes }: VocTruth, detections: readonly VocDetection[]): Matches {
  const indexOf = new Map(images.map(({ stem }, i) => [stem, i]));
  const byClass = new Map<string, VocDetection[]>(classes.map((name) => [name, []]));
  for (const detection of detections) byClass.get(detection.category)?.push(detection);
  return {
    images: images.map(({ stem }) => stem),
    thresholds: [IOU_THRESHOLD],
    classes: classes.map((name) => matchClass(name, images, byClass.get(name)!, indexOf)),
  };
}

function matchClass(
  name: string,
  images: VocTruth['images'],
  unsorted: readonly VocDetection[],
  indexOf: ReadonlyMap<string, number>,
): ClassMatches {
  const truth = images.map(({ objects }) => objects.filter((object) => object.name === name));
  const taken = truth.map((objects) => objects.map(() => false));
  const detections = [...unsorted].sort((a, b) => b.score - a.score);
  const result: ClassMatches = {
    name,
    image: Int32Array.from(detections, ({ stem }) => indexOf.get(stem)!),
    score: Float64Array.from(detections, ({ score }) => score),
    hit: new Uint16Array(detections.length),
    ignored: new Uint16Array(detections.length),
    objects: Uint32Array.from(truth, (objects) => objects.filter(({ difficult }) => !difficult).length),
  };
  detections.forEach(({ corners }, d) => {
    const image = result.image[d]!;
    const objects = truth[image]!;
    let [best, most] = [-1, -Infinity];
    objects.forEach((object, i) => {
      const iou = inclusiveIou(object.corners, corners);
      if (iou > most) [best, most] = [i, iou];
    });
    if (!(most > IOU_THRESHOLD)) return;
    if (objects[best]!.difficult) {
      result.ignored[d] = 1;
    } else if (!taken[image]![best]) {
      taken[image]![best] = true;
      result.hit[d] = 1;
    }
  });
  return result;
}

function inclusiveIou(a: InclusiveCorners, b: InclusiveCorners): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + 1);
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + 1);
  const shared = width * height;
  const area = (box: InclusiveCorners) => (box[2] - box[0] + 1) * (box[3] - box[1] + 1);
  return shared / (area(a) + area(b) - shared);
}
