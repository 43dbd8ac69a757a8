import type { CocoAnnotation } from './types.js';

/** Annotations as parallel arrays, which makes comparing half a million detections fast. Absent numbers are NaN. */
export interface Columns {
  readonly length: number;
  readonly id: Float64Array; // [N]
  readonly imageId: Float64Array; // [N]
  readonly categoryId: Float64Array; // [N]
  readonly bbox: Float64Array; // [N, 4] x, y, width, height
  readonly area: Float64Array; // [N]
  readonly score: Float64Array; // [N]
  readonly crowd: Uint8Array; // [N] 0 or 1
  /** The whole annotation of a row, with segmentation and keypoints. */
  readonly annotation: (row: number) => CocoAnnotation;
}

export function columnsFromAnnotations(annotations: readonly CocoAnnotation[]): Columns {
  const length = annotations.length;
  const columns = {
    length,
    id: new Float64Array(length),
    imageId: new Float64Array(length),
    categoryId: new Float64Array(length),
    bbox: new Float64Array(length * 4),
    area: new Float64Array(length),
    score: new Float64Array(length),
    crowd: new Uint8Array(length),
    annotation: (row: number) => annotations[row]!,
  };
  for (let row = 0; row < length; row++) {
    const annotation = annotations[row]!;
    columns.id[row] = annotation.id;
    columns.imageId[row] = annotation.image_id;
    columns.categoryId[row] = annotation.category_id;
    columns.area[row] = annotation.area ?? NaN;
    columns.score[row] = annotation.score ?? NaN;
    columns.crowd[row] = annotation.iscrowd ? 1 : 0;
    const { bbox } = annotation;
    for (let side = 0; side < 4; side++) columns.bbox[row * 4 + side] = bbox?.[side] ?? NaN;
  }
  return columns;
}

/** Completes a bounding-box detection like upstream's loadRes: with its corners as the outline, and an id counted from
 *  1. */
export function detectionFromBox(fields: {
  readonly index: number;
  readonly imageId: number;
  readonly categoryId: number;
  readonly bbox: readonly number[];
  readonly score: number;
}): CocoAnnotation {
  const { index, imageId, categoryId, bbox, score } = fields;
  return {
    id: index + 1,
    image_id: imageId,
    category_id: categoryId,
    bbox,
    score,
    segmentation: [boxOutline(bbox)],
    area: bbox[2]! * bbox[3]!,
    iscrowd: 0,
  };
}

/** Corners of a box in the order of coco.py, loadRes. */
export function boxOutline(bbox: readonly number[]): number[] {
  const left = bbox[0]!;
  const top = bbox[1]!;
  const right = left + bbox[2]!;
  const bottom = top + bbox[3]!;
  return [left, top, left, bottom, right, bottom, right, top];
}
