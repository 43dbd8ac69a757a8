import type { ClassIndex } from '../../data/sample.js';
import { iou, xyxy, type Xyxy } from '../../geometry/box.js';
import type { Found } from './detector.js';
import type { SelectOptions } from './options.js';

/** Greedy non-maximum suppression of one class. order: rows of boxes [N,4], best first → the rows that overlap no
 *  earlier kept one by more than the threshold, at most `limit`. */
export function nms(boxes: Xyxy, order: readonly number[], threshold: number, limit: number): number[] {
  const kept: number[] = [];
  for (const i of order) {
    if (kept.every((j) => iou(boxes, i, boxes, j) <= threshold)) kept.push(i);
    if (kept.length === limit) break;
  }
  return kept;
}

/** Factors on the score of a box that overlaps a better one, in Soft-NMS: Bodla et al. 2017 (arXiv:1704.04503), eqs. 2
 *  and 3, with its σ. */
const SIGMA = 0.5;
const decay = {
  softLinear: (overlap: number, threshold: number): number => (overlap > threshold ? 1 - overlap : 1),
  softGaussian: (overlap: number): number => Math.exp(-(overlap ** 2) / SIGMA),
} as const;

/** Soft-NMS of one class: each time a box is taken, the scores of those that overlap it are lowered, in place, and
 *  boxes whose score falls to `floor` are dropped. order: rows of boxes [N,4] with scores [N] → the rows taken, best
 *  first, at most `limit`. */
export function softNms(
  boxes: Xyxy,
  order: readonly number[],
  scores: Float32Array,
  { kind, threshold, floor, limit }: { kind: keyof typeof decay; threshold: number; floor: number; limit: number },
): number[] {
  const kept: number[] = [];
  let rest = [...order];
  while (rest.length > 0 && kept.length < limit) {
    const best = rest.reduce((one, other) => (scores[other]! > scores[one]! ? other : one));
    kept.push(best);
    rest = rest.filter((row) => {
      if (row === best) return false;
      scores[row]! *= decay[kind](iou(boxes, best, boxes, row), threshold);
      return scores[row]! > floor;
    });
  }
  return kept;
}

/** The rows of one class that the chosen kind of NMS keeps of `order`, best first; Soft-NMS lowers scores in place. */
function suppress(
  boxes: Xyxy,
  order: readonly number[],
  scores: Float32Array,
  {
    nms: kind,
    nmsThreshold: threshold,
    scoreThreshold: floor,
    maxDetections: limit,
  }: Omit<SelectOptions, 'numClasses' | 'candidates'>,
): number[] {
  if (kind === 'hard') return nms(boxes, order, threshold, limit);
  return softNms(boxes, order, scores, { kind, threshold, floor, limit });
}

/** The best boxes of all classes, after NMS in each class. boxes [N,4] belong to all classes; scoresOf gives the scores
 *  [N] of a class, with 0 for boxes that are left out. These scores may be changed. */
export function selectPerClass(
  boxes: Xyxy,
  scoresOf: (classIndex: number) => Float32Array,
  options: SelectOptions,
): Found {
  const kept: { row: number; score: number; classIndex: number }[] = [];
  for (let classIndex = 0; classIndex < options.numClasses; classIndex++) {
    const scores = scoresOf(classIndex);
    const order: number[] = [];
    for (let i = 0; i < scores.length; i++) if (scores[i]! > 0) order.push(i);
    const best = order.sort((i, j) => scores[j]! - scores[i]!).slice(0, options.candidates);
    for (const row of suppress(boxes, best, scores, options)) kept.push({ row, score: scores[row]!, classIndex });
  }
  const best = kept.sort((one, other) => other.score - one.score).slice(0, options.maxDetections);
  return {
    boxes: xyxy(best.flatMap(({ row }) => [...boxes.subarray(row * 4, row * 4 + 4)])),
    scores: best.map(({ score }) => score),
    classes: best.map(({ classIndex }) => classIndex as ClassIndex),
  };
}

export interface Candidate {
  /** [1,4], in pixels of the input. */
  readonly box: Xyxy;
  readonly score: number;
  readonly classIndex: ClassIndex;
}

/** The best boxes of all classes, after NMS in each class, for boxes that each belong to one class. */
export function suppressPerClass(
  candidates: readonly Candidate[],
  options: Omit<SelectOptions, 'numClasses' | 'candidates'>,
): Found {
  const sorted = [...candidates].sort((one, other) => other.score - one.score);
  const boxes = xyxy(sorted.flatMap(({ box }) => [...box]));
  const scores = Float32Array.from(sorted, ({ score }) => score);
  const classes = new Map<ClassIndex, number[]>();
  for (const [row, { classIndex }] of sorted.entries()) {
    const own = classes.get(classIndex);
    if (own) own.push(row);
    else classes.set(classIndex, [row]);
  }
  const kept = [...classes.values()].flatMap((order) => suppress(boxes, order, scores, options));
  const best = kept.sort((one, other) => scores[other]! - scores[one]! || one - other).slice(0, options.maxDetections);
  return {
    boxes: xyxy(best.flatMap((row) => [...sorted[row]!.box])),
    scores: best.map((row) => scores[row]!),
    classes: best.map((row) => sorted[row]!.classIndex),
  };
}
