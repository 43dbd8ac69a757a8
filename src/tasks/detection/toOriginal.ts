import type { Origin } from '../network.js';
import type { Detection, Found } from './detector.js';

/** What a detector found in its input, as detections in the image that the input was made from. */
export const toOriginal = ({ boxes, scores, classes }: Found, origin: Origin): Detection[] =>
  scores.map((score, i) => ({
    imageId: origin.imageId,
    classIndex: classes[i]!,
    box: placeBox(boxes.subarray(i * 4, i * 4 + 4), origin),
    score,
  }));

function placeBox(box: Float32Array, { placement, originalWidth, originalHeight }: Origin): Detection['box'] {
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  const x = (value: number): number => Math.min(Math.max((value - offsetX) / scaleX, 0), originalWidth);
  const y = (value: number): number => Math.min(Math.max((value - offsetY) / scaleY, 0), originalHeight);
  return [x(box[0]!), y(box[1]!), x(box[2]!), y(box[3]!)];
}
