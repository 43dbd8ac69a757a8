import type { ClassIndex } from '../../data/sample.js';
import { xyxy } from '../../geometry/box.js';
import type { ModelDescription } from '../description/description.js';
import type { Found } from './detector.js';

/** Meaning of the outputs of a model that has non-maximum suppression inside. D is the largest number of detections. */
export const SUPPRESSED_OUTPUTS = {
  boxes: '[1, D, 4]: left, upper, right and lower side of each detection in pixels of the input, best first',
  scores: '[1, D]: the score of each detection, 0…1',
  classes: '[1, D]: the index of its class in categories',
  count: '[1]: the number of detections; the rows after them are 0',
} as const;

/** The detections in the outputs of such a model whose score is above a threshold. */
export function readSuppressed(
  { boxes, scores, classes, count }: Readonly<Record<string, Float32Array>>,
  scoreThreshold: number,
): Found {
  const shown = Array.from(scores!.subarray(0, Math.round(count![0]!))).filter((score) => score > scoreThreshold);
  return {
    boxes: xyxy(boxes!.subarray(0, shown.length * 4)),
    scores: shown,
    classes: shown.map((_, i) => Math.round(classes![i]!) as ClassIndex),
  };
}

/** The description of a model whose card names this place for non-maximum suppression. With `none` nobody but the reader of
 *  the predictions suppresses: they are the best boxes, however much they overlap. */
export const suppressingAt = (place: string | undefined, description: ModelDescription): ModelDescription =>
  place === 'none' && description.task === 'detection'
    ? { ...description, selection: { ...description.selection, nms: 'hard', nmsThreshold: Infinity } }
    : description;
