import { COCO, COCOeval, type CocoDataset } from '../pycocotools/index.js';
import type { Dataset } from '../data/sample.js';
import type { Detection } from '../tasks/detection/detector.js';
import { cocoScore, type CocoScore } from './cocoScore.js';

/** A detection as in COCO's result files; image_id is a file's stem for VOC. */
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

/** The detections with the names of their images' files: ids alone do not tell a reader which image has a wrong label. */
export function withFileNames(detections: readonly CocoDetection[], dataset: Dataset) {
  const nameOf = new Map(dataset.toCoco().images.map(({ id, file_name }) => [id, file_name]));
  return detections.map(({ image_id, ...rest }) => ({ image_id, file_name: nameOf.get(image_id), ...rest }));
}

export interface CocoPair {
  readonly truth: COCO;
  readonly detections: COCO;
}

/** A part and its detections as objects of pycocotools. */
export function cocoPair(dataset: Dataset, detections: readonly CocoDetection[]): CocoPair {
  const part = dataset.toCoco();
  const numberOf = new Map(part.images.map(({ id }, i) => [id, i + 1])); // the evaluator needs numbers; VOC's ids are stems
  const truth = new COCO({
    images: part.images.map((image) => ({ ...image, id: numberOf.get(image.id)! })),
    categories: part.categories,
    // numbered from 1, since pycocotools takes the id 0 for "no match"
    annotations: part.annotations.map((annotation, i) => ({
      ...annotation,
      id: i + 1,
      image_id: numberOf.get(annotation.image_id)!,
    })),
  } satisfies CocoDataset);
  const numbered = detections.map((detection) => ({ ...detection, image_id: numberOf.get(detection.image_id)! }));
  return { truth, detections: truth.loadRes(numbered) };
}

/** Scores detections by COCO's protocol for boxes: IoU .50:.05:.95, at most 100 detections per image. */
export function scoreCoco({ truth, detections }: CocoPair): CocoScore {
  const evaluation = new COCOeval(truth, detections, 'bbox');
  evaluation.evaluate();
  evaluation.accumulate();
  return cocoScore(evaluation, 'bbox');
}
