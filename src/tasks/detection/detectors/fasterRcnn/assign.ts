import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import type { Proposals } from './proposals.js';

/** The objects of a batch's images. */
export interface Truth {
  /** [N,G,4] Xyxy, in pixels of the input; zeros for padding rows. */
  readonly boxes: Value;
  /** int32 [N,G]: k + 1 for the class k, 0 for padding rows, −1 for an object that is not to be learnt. */
  readonly labels: Value;
}

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

/** Least area in a denominator, in pixels²: it keeps the IoU of boxes without area from becoming NaN. */
const LEAST_AREA = 1e-9;

/** IoU of each box [N,T,4] with each object [N,G,4] → [N,T,G]. */
function pairwiseIou(boxes: Value, objects: Value): Value {
  const [n, t] = boxes.shape as [number, number];
  const g = objects.shape[1]!;
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map((i) => b.slice(boxes, [0, 0, i], [n, t, 1])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const [u1, v1, u2, v2] = [0, 1, 2, 3].map((i) => b.reshape(b.slice(objects, [0, 0, i], [n, g, 1]), [n, 1, g])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const width = b.maximum(b.sub(b.minimum(x2, u2), b.maximum(x1, u1)), 0);
  const height = b.maximum(b.sub(b.minimum(y2, v2), b.maximum(y1, v1)), 0);
  const inner = b.mul(width, height);
  const areas = b.add(b.mul(b.sub(x2, x1), b.sub(y2, y1)), b.mul(b.sub(u2, u1), b.sub(v2, v1)));
  return b.div(inner, b.maximum(b.sub(areas, inner), LEAST_AREA));
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
