import { iou, xyxy } from '../geometry/box.js';
import type { PredictedBox, TruthBox } from '../tasks/section.js';

/** IoU from which a prediction matches an object with the same label, as for COCO's AP50. */
const matchIou = 0.5;

/** For each prediction (best score first) the row of the object that it matches, or −1. Matching is greedy, as in COCO;
 *  an ignored object may be matched repeatedly. */
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
