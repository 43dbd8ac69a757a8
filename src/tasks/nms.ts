import type { ClassIndex } from '../data/sample.js';
import { iou, xyxy, type Xyxy } from '../geometry/box.js';
import type { Found } from './detectors/detector.js';

/** Greedy non-maximum suppression of one class. order: rows of boxes [N,4], best first → those that overlap no earlier kept one by more than threshold, at most `limit`. */
export function nms(boxes: Xyxy, order: readonly number[], threshold: number, limit: number): number[] {
  const kept: number[] = [];
  for (const i of order) {
    if (kept.every((j) => iou(boxes, i, boxes, j) <= threshold)) kept.push(i);
    if (kept.length === limit) break;
  }
  return kept;
}

export interface SelectOptions {
  readonly numClasses: number;
  readonly nmsThreshold: number;
  readonly maxDetections: number;
}

/** The best of all classes after NMS in each. boxes [N,4], one for all classes; scoresOf gives a class's [N], 0 for what is left out. */
export function selectPerClass(
  boxes: Xyxy,
  scoresOf: (classIndex: number) => Float32Array,
  { numClasses, nmsThreshold, maxDetections }: SelectOptions,
): Found {
  const kept: { row: number; score: number; classIndex: number }[] = [];
  for (let classIndex = 0; classIndex < numClasses; classIndex++) {
    const scores = scoresOf(classIndex);
    const order: number[] = [];
    for (let i = 0; i < scores.length; i++) if (scores[i]! > 0) order.push(i);
    order.sort((i, j) => scores[j]! - scores[i]!);
    for (const row of nms(boxes, order, nmsThreshold, maxDetections))
      kept.push({ row, score: scores[row]!, classIndex });
  }
  const best = kept.sort((one, other) => other.score - one.score).slice(0, maxDetections);
  return {
    boxes: xyxy(best.flatMap(({ row }) => [...boxes.subarray(row * 4, row * 4 + 4)])),
    scores: best.map(({ score }) => score),
    classes: best.map(({ classIndex }) => classIndex as ClassIndex),
  };
}

export interface Candidate {
  /** [1,4], pixels of the input. */
  readonly box: Xyxy;
  readonly score: number;
  readonly classIndex: ClassIndex;
}

/** The same for boxes that each belong to one class. */
export function suppressPerClass(
  candidates: readonly Candidate[],
  { nmsThreshold, maxDetections }: Pick<SelectOptions, 'nmsThreshold' | 'maxDetections'>,
): Found {
  const sorted = [...candidates].sort((one, other) => other.score - one.score);
  const boxes = xyxy(sorted.flatMap(({ box }) => [...box]));
  const classes = new Map<ClassIndex, number[]>();
  for (const [row, { classIndex }] of sorted.entries()) {
    const own = classes.get(classIndex);
    if (own) own.push(row);
    else classes.set(classIndex, [row]);
  }
  const kept = [...classes.values()].flatMap((order) => nms(boxes, order, nmsThreshold, maxDetections));
  const best = kept.sort((one, other) => one - other).slice(0, maxDetections);
  return {
    boxes: xyxy(best.flatMap((row) => [...sorted[row]!.box])),
    scores: best.map((row) => sorted[row]!.score),
    classes: best.map((row) => sorted[row]!.classIndex),
  };
}
