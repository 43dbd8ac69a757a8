import { boxes, iou, type Xyxy } from '../geometry/box.js';
import type { Annotation, Dataset } from '../data/sample.js';
import type { CocoDetection } from '../evaluate/coco.js';
import type { Example, PredictedBox, TruthBox } from './overlay.js';

/** Detections below it neither count as false nor are drawn. */
export const SHOWN_SCORE = 0.3;
const MATCH_IOU = 0.5;

/** The images with the most mistakes first: missed objects and false detections at IoU 0.5 and score 0.3, as a share of both. */
export function worstExamples(dataset: Dataset, detections: readonly CocoDetection[], limit: number): Example[] {
  const byImage = new Map<string | number, CocoDetection[]>();
  for (const detection of detections) {
    if (detection.score < SHOWN_SCORE) continue;
    const known = byImage.get(detection.image_id);
    if (known) known.push(detection);
    else byImage.set(detection.image_id, [detection]);
  }
  const nameOf = new Map(dataset.categories.map(({ id, name }) => [id as number, name]));
  const examples = dataset.annotations.map((annotation) => {
    const found = byImage.get(annotation.imageId) ?? [];
    const predictions = found.map(({ bbox: [x, y, w, h], category_id, score }): PredictedBox => ({
      box: [x, y, x + w, y + h],
      label: nameOf.get(category_id)!,
      score,
    }));
    return example(annotation, truthOf(annotation, dataset), predictions);
  });
  return examples.sort((a, b) => b.error - a.error).slice(0, limit);
}

function truthOf({ boxes: rows, classes, ignore }: Annotation, { categories }: Dataset): TruthBox[] {
  return classes.map((classIndex, i) => ({
    box: [rows[i * 4]!, rows[i * 4 + 1]!, rows[i * 4 + 2]!, rows[i * 4 + 3]!],
    label: categories[classIndex]!.name,
    ignore: ignore[i]!,
  }));
}

function example(
  { file, imageId, width, height }: Annotation,
  truth: TruthBox[],
  predictions: PredictedBox[],
): Example {
  const left = new Set(truth.filter(({ ignore }) => !ignore));
  const objects = left.size;
  let wrong = 0;
  for (const prediction of [...predictions].sort((a, b) => b.score - a.score)) {
    const match = [...left].find(
      ({ box, label }) => label === prediction.label && overlap(box, prediction.box) >= MATCH_IOU,
    );
    const excused = truth.some(({ box, ignore }) => ignore && overlap(box, prediction.box) >= MATCH_IOU);
    if (match) left.delete(match);
    else if (!excused) wrong++;
  }
  const error = (left.size + wrong) / Math.max(objects + predictions.length, 1);
  const caption = `${objects - left.size} of ${objects} objects found, ${left.size} missed, ${wrong} false`;
  return { file, imageId, width, height, truth, predictions, error, caption };
}

type Corners = TruthBox['box'];
const overlap = (a: Corners, b: Corners): number => iou(boxes<Xyxy>(a), 0, boxes<Xyxy>(b), 0);
