import { iou, xyxy } from '../geometry/box.js';
import type { PredictedBox, TruthBox } from '../tasks/section.js';

/** A prediction and an object are one when their boxes overlap this much (COCO's AP50) and their labels agree. */
const matchIou = 0.5;

/** For each prediction (best score first) the row of the object it finds, or −1: greedy, as COCO matches; an ignored
 *  object may be found again and again. */
export function matchPredictions(truth: readonly TruthBox[], predictions: readonly PredictedBox[]): number[] {
  const objects = xyxy(truth.flatMap(({ box }) => box));
  const found = xyxy(predictions.flatMap(({ box }) => box));
  const taken = new Set<number>();
  return predictions.map(({ label }, i) => {
    const free = truth.flatMap((object, j) => {
      const overlap = object.label === label && !taken.has(j) ? iou(objects, j, found, i) : 0;
      return overlap >= matchIou ? [{ j, rank: overlap - (object.ignore ? 1 : 0) }] : [];
    });
    const best = free.sort((a, b) => b.rank - a.rank)[0]?.j ?? -1;
    if (best >= 0 && !truth[best]!.ignore) taken.add(best);
    return best;
  });
}
