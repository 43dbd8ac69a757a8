import { COCO, COCOeval, type CocoDataset } from 'pycocotools-js';
import type { Dataset } from '../data/sample.js';
import type { Detection } from '../tasks/detection.js';
import { cocoScore, type CocoScore } from './cocoScore.js';

/** A detection as COCO's result files write it; image_id is a file's stem for VOC. */
export interface CocoDetection {
  readonly image_id: number | string;
  readonly category_id: number;
  /** x, y, width, height in pixels of the original image. */
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
}

export function toCocoDetections(detections: readonly Detection[], { categories }: Dataset): CocoDetection[] {
  return detections.map(({ imageId, classIndex, box: [x1, y1, x2, y2], score }) => ({
    image_id: imageId,
    category_id: categories[classIndex]!.id,
    bbox: [x1, y1, x2 - x1, y2 - y1],
    score,
  }));
}

/** Scores detections by COCO's protocol for boxes: IoU .50:.05:.95, at most 100 detections an image. */
export function scoreCoco(dataset: Dataset, detections: readonly CocoDetection[]): CocoScore {
  const truth = dataset.toCoco();
  const numberOf = new Map(truth.images.map(({ id }, i) => [id, i + 1])); // the evaluator wants numbers; a stem is none
  const gt = new COCO({
    images: truth.images.map((image) => ({ ...image, id: numberOf.get(image.id)! })),
    categories: truth.categories,
    annotations: truth.annotations.map((annotation) => ({
      ...annotation,
      image_id: numberOf.get(annotation.image_id)!,
    })),
  } satisfies CocoDataset);
  const evaluation = new COCOeval(
    gt,
    gt.loadRes(detections.map((detection) => ({ ...detection, image_id: numberOf.get(detection.image_id)! }))),
    'bbox',
  );
  evaluation.evaluate();
  evaluation.accumulate();
  return cocoScore(evaluation, 'bbox');
}
