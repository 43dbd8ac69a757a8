import { iou, type Xyxy } from '../geometry/box.js';

/** Greedy non-maximum suppression of one class. order: rows of boxes [N,4], best first → those that overlap no earlier kept one by more than threshold, at most `limit`. */
export function nms(boxes: Xyxy, order: readonly number[], threshold: number, limit: number): number[] {
  const kept: number[] = [];
  for (const i of order) {
    if (kept.every((j) => iou(boxes, i, boxes, j) <= threshold)) kept.push(i);
    if (kept.length === limit) break;
  }
  return kept;
}
