import { COCO, COCOeval, type CocoDataset } from 'pycocotools-js';
import type { Dataset } from '../data/sample.js';
import type { Detection } from '../tasks/detection.js';

/** COCO's twelve numbers, fractions; −1 where there is nothing to measure. */
export interface CocoScore {
  readonly metric: 'coco';
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APs: number;
  readonly APm: number;
  readonly APl: number;
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
  readonly perCategory: readonly {
    readonly id: number;
    readonly name: string;
    readonly AP: number;
    readonly AP50: number;
  }[];
}

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
  } as unknown as CocoDataset);
  const dt = gt.loadRes(detections.map((detection) => ({ ...detection, image_id: numberOf.get(detection.image_id)! })));
  const evaluation = new COCOeval(gt, dt, 'bbox');
  evaluation.evaluate();
  evaluation.accumulate();
  const [AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl] =
    evaluation.summarize() as unknown as number[];
  const all = { AP: AP!, AP50: AP50!, AP75: AP75!, APs: APs!, APm: APm!, APl: APl!, AR1: AR1!, AR10: AR10!, AR100: AR100!, ARs: ARs!, ARm: ARm!, ARl: ARl! }; // prettier-ignore
  return { metric: 'coco', ...all, perCategory: perCategory(evaluation, dataset) };
}

/** AP and AP50 of each category over all areas at 100 detections: means over precision [T, R, K, A, M] where it is not −1. */
function perCategory(evaluation: COCOeval, dataset: Dataset): CocoScore['perCategory'] {
  const { precision, counts } = evaluation.eval;
  const [T, R, K, A, M] = counts;
  const nameOf = new Map(dataset.categories.map(({ id, name }) => [id as number, name]));
  const mean = (k: number, thresholds: readonly number[]): number => {
    const values = thresholds.flatMap((t) =>
      Array.from({ length: R }, (_, r) => precision[(((t * R + r) * K + k) * A + 0) * M + M - 1]!),
    );
    const measured = values.filter((value) => value > -1);
    return measured.length > 0 ? measured.reduce((sum, value) => sum + value, 0) / measured.length : -1;
  };
  const thresholds = Array.from({ length: T }, (_, t) => t);
  return evaluation.params.catIds.map((id, k) => ({
    id,
    name: nameOf.get(id)!,
    AP: mean(k, thresholds),
    AP50: mean(k, [0]),
  }));
}
