import type { Annotation, Dataset } from '../data/sample.js';
import type { Example, PredictedBox, TruthBox } from '../tasks/section.js';
import type { CocoDetection } from './coco.js';
import { matchPredictions } from './matchPredictions.js';

/** Score below which detections are neither drawn nor counted as false. */
export const SHOWN_SCORE = 0.3;

/** The images with the most mistakes first: missed objects and false detections at IoU 0.5 and score 0.3, as a share of
 *  both. */
export const worstImages = (dataset: Dataset, detections: readonly CocoDetection[], limit: number): Example[] =>
  examplesOf(dataset, detections)
    .sort((a, b) => b.error - a.error)
    .slice(0, limit);

/** Each image of a data set with its objects, and with the detections of score 0.3 or more, best first. */
export function examplesOf(dataset: Dataset, detections: readonly CocoDetection[]): Example[] {
  const byImage = new Map<string | number, CocoDetection[]>();
  for (const detection of detections) {
    if (detection.score < SHOWN_SCORE) continue;
    const known = byImage.get(detection.image_id);
    if (known) known.push(detection);
    else byImage.set(detection.image_id, [detection]);
  }
  const nameOf = new Map(dataset.categories.map(({ id, name }) => [id as number, name]));
  return dataset.annotations.map((annotation) => {
    const found = byImage.get(annotation.imageId) ?? [];
    const predictions = found.map(({ bbox: [x, y, w, h], category_id, score }): PredictedBox => ({
      box: [x, y, x + w, y + h],
      label: nameOf.get(category_id)!,
      score,
    }));
    return example(annotation, truthOf(annotation, dataset), predictions);
  });
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
  const ranked = predictions.sort((a, b) => b.score - a.score);
  const matches = matchPredictions(truth, ranked);
  const objects = truth.filter(({ ignore }) => !ignore).length;
  const found = new Set(matches.filter((row) => row >= 0 && !truth[row]!.ignore)).size;
  const wrong = matches.filter((row) => row === -1).length;
  const error = (objects - found + wrong) / Math.max(objects + predictions.length, 1);
  const caption = `${found} of ${objects} objects found, ${objects - found} missed, ${wrong} false`;
  return { file, imageId, width, height, truth, predictions: ranked, error, caption };
}
