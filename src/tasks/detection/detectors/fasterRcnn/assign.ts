import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { pairwiseIou, type Truth } from '../../truth.js';
import type { Proposals } from './proposals.js';

/** Boxes that the second stage can learn from, each with the object that it overlaps most. */
export interface Candidates {
  /** [N,T,4]. */
  readonly boxes: Value;
  /** int32 [N,T]: row of that object in the truth. */
  readonly match: Value;
  /** [N,T]: IoU with that object. */
  readonly overlap: Value;
  /** [N,T], masks. */
  readonly positive: Value;
  readonly negative: Value;
}

/** Assigns objects to proposals. A proposal is positive if its IoU is at least `matchIou`, else negative, and neither
 *  if its object is not to be learnt. The objects themselves are candidates too, as in torchvision. `real` [N] is 0 for
 *  a place of the batch without an image. */
export function assignProposals(
  proposals: Proposals,
  truth: Truth,
  { matchIou, real }: { readonly matchIou: number; readonly real: Value },
): Candidates {
  const { graph } = truth.labels.node;
  const [n] = truth.labels.shape as [number];
  const boxes = b.concat([proposals.boxes, truth.boxes], 1);
  const learnt = b.cast(b.greater(truth.labels, 0), 'float32');
  const valid = b.mul(b.concat([proposals.valid, learnt], 1), b.reshape(real, [n, 1]));
  const t = boxes.shape[1]!;
  const [best, row] = b.topK(pairwiseIou(boxes, truth.boxes), 1) as [Value, Value];
  const [overlap, match] = [b.reshape(best, [n, t]), b.reshape(row, [n, t])];
  const near = b.cast(b.greaterEqual(overlap, matchIou), 'float32');
  const isClass = b.cast(b.greater(b.gather(truth.labels, match), 0), 'float32');
  return {
    boxes,
    match,
    overlap,
    positive: b.mul(valid, b.mul(near, isClass)),
    negative: b.mul(valid, b.sub(b.scalar(graph, 1), near)),
  };
}
