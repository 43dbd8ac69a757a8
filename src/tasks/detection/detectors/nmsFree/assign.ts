import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { UNLEARNT } from '../../matcher.js';
import { pairwiseIou, type Truth } from '../../truth.js';
import type { Branch } from './network.js';

/** What the points of a batch learn. Nothing of it has a gradient. */
export interface Assignment {
  /** [N,P]: 1 for a point that learns an object. */
  readonly positive: Value;
  /** int32 [N,P]: the row of that object in the truth. */
  readonly match: Value;
  /** [N,P]: how good the point's prediction is among those for its object, 0…1; 0 for all other points. */
  readonly quality: Value;
}

/** Exponents of the class's probability and of the IoU in the matching metric: Wang et al. 2024 (arXiv:2405.14458), section 3.1. */
const IOU_POWER = 6;
/** Lets a point inside an object count that predicts nothing of it yet. */
const LEAST = 1e-12;

/** The objects of a batch beside the points: what the assignments of both branches have in common. */
export interface Scene {
  readonly truth: Truth;
  /** [N,G,P]: 1 where the point lies inside the object and may learn it. */
  readonly candidate: Value;
  /** [N,P]: 1 for a point inside an object that must not be learnt. */
  readonly inIgnored: Value;
}

/** points [P,2]: x and y, in pixels of the input. */
export function placeObjects(truth: Truth, points: readonly number[]): Scene {
  const [n, g] = truth.labels.shape as [number, number];
  const inside = insideMask(truth.boxes, points);
  const where = (mask: Value): Value => b.mul(inside, b.reshape(b.cast(mask, 'float32'), [n, g, 1]));
  return {
    truth,
    candidate: where(b.greater(truth.labels, 0)),
    inIgnored: b.max(where(b.equal(truth.labels, UNLEARNT)), [1]),
  };
}

/** Assigns to each object the `most` points inside it whose own predictions fit best, by √(probability of its class) · IoU⁶. Both branches rank
 *  points by the same metric, so that the one-to-one branch learns the best point of the one-to-many branch. A point that several objects
 *  want learns the one that it overlaps most. Wang et al. 2024 (arXiv:2405.14458), section 3.1; the quality of a point is that of TOOD: Feng et al.
 *  2021 (arXiv:2108.07755), eq. 4. */
export function assignPoints({ logits, boxes }: Branch, { truth, candidate }: Scene, most: number): Assignment {
  const [n, p, numClasses] = logits.shape as [number, number, number];
  const g = truth.labels.shape[1]!;
  const classes = b.maximum(b.sub(truth.labels, 1), 0); // of padding rows, too: no point is a candidate for them
  const rootProbability = b.sqrt(b.stopGradient(b.sigmoid(logits)));
  const iou = pairwiseIou(truth.boxes, b.stopGradient(boxes)); // [n, g, p]
  const ofClass = b.gather(b.transpose(rootProbability, [0, 2, 1]), classes);
  const metric = b.mul(b.add(b.mul(ofClass, b.power(iou, IOU_POWER)), LEAST), candidate);

  const [values, places] = b.topK(metric, Math.min(most, p)) as [Value, Value];
  const chosen = b.mul(chosenPoints(metric, values, places), candidate);
  const overlap = b.mul(b.add(iou, LEAST), chosen);
  const [value, row] = b.topK(b.transpose(overlap, [0, 2, 1]), 1) as [Value, Value];
  const [own, match] = [b.reshape(value, [n, p]), b.reshape(row, [n, p])];
  const positive = b.cast(b.greater(own, 0), 'float32');

  // The best point of an object learns the largest IoU among its points, the others proportionally less.
  const bestMetric = b.maximum(b.slice(values, [0, 0, 0], [n, g, 1]), LEAST);
  const scale = b.reshape(b.div(b.max(overlap, [2], true), bestMetric), [n, g]);
  const root = b.sum(b.mul(rootProbability, b.oneHot(b.gather(classes, match), numClasses)), [2]);
  const ownMetric = b.add(b.mul(root, b.power(own, IOU_POWER)), LEAST);
  const quality = b.minimum(b.mul(ownMetric, b.gather(scale, match)), 1);
  return { positive, match, quality: b.mul(quality, positive) };
}

/** [N,G,P]: 1 where the point lies inside the object. */
function insideMask(truth: Value, points: readonly number[]): Value {
  const { graph } = truth.node;
  const [n, g] = truth.shape as [number, number];
  const along = (axis: 0 | 1): Value => {
    const values = points.filter((_, i) => i % 2 === axis);
    const at = b.constant(graph, values, [1, 1, values.length]);
    const side = (column: number): Value => b.slice(truth, [0, 0, column], [n, g, 1]);
    return b.minimum(b.sub(at, side(axis)), b.sub(side(axis + 2), at));
  };
  return b.cast(b.greater(b.minimum(along(0), along(1)), 0), 'float32');
}

/** The points with the best metrics, [N,G,P] → a mask of zeros and ones, from their values and places [N,G,K], best first. With one point the
 *  first of equal values is taken. */
function chosenPoints(metric: Value, values: Value, places: Value): Value {
  const [n, g, most] = values.shape as [number, number, number];
  if (most === 1) return b.oneHot(b.reshape(places, [n, g]), metric.shape[2]!);
  return b.cast(b.greaterEqual(metric, b.slice(values, [0, 0, most - 1], [n, g, 1])), 'float32');
}
