import type { AnyFound } from '../../predict/entry.js';

/** An object in the form of DeepStack and CodeProject.AI, which Frigate, Viseron, Home Assistant and Blue Iris read.
 *  https://docs.deepstack.cc/object-detection */
interface DeepStackObject {
  readonly label: string;
  readonly confidence: number;
  readonly y_min: number;
  readonly x_min: number;
  readonly y_max: number;
  readonly x_max: number;
}

/** The label of a word. */
const WORD = 'text';

/** What was found in an image as DeepStack's `predictions`: boxes in whole pixels inside the image. */
export function toDeepStack(
  { width, height, predictions }: { width: number; height: number; predictions: readonly AnyFound[] },
  leastConfidence: number,
): DeepStackObject[] {
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, Math.round(value)));
  return predictions.flatMap((found): DeepStackObject[] => {
    if ('probability' in found || found.score < leastConfidence) return [];
    const [x1, y1, x2, y2] = cornersOf(found);
    return [
      {
        label: 'polygon' in found ? WORD : found.category,
        confidence: found.score,
        y_min: within(y1, height),
        x_min: within(x1, width),
        y_max: within(y2, height),
        x_max: within(x2, width),
      },
    ];
  });
}

function cornersOf(found: Exclude<AnyFound, { probability: number }>): readonly [number, number, number, number] {
  if ('box' in found) {
    const [x, y, width, height] = found.box;
    return [x, y, x + width, y + height];
  }
  const [xs, ys] = [0, 1].map((axis) => found.polygon.map((point) => point[axis]!)) as [number[], number[]];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** DeepStack's answer for the scene of an image: the most probable class. */
export function toScene(predictions: readonly AnyFound[]): object {
  const [best] = predictions;
  return best && 'probability' in best
    ? { success: true, label: best.category, confidence: best.probability }
    : { success: true, label: '', confidence: 0 };
}
