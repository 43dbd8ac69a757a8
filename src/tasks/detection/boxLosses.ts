import type { Cxcywh } from '../../geometry/box.js';
import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { LARGEST_LOG_SIZE, type CoderScale } from './boxCoder.js';
import { smoothL1 } from '../losses.js';

/** How a predicted box is compared with its truth: the first three compare offsets from the anchor, the others compare
 *  boxes. */
export const BOX_LOSSES = ['l1', 'smoothL1', 'balancedL1', 'giou', 'diou'] as const;
export type BoxLossKind = (typeof BOX_LOSSES)[number];

/** Avoids a division by zero; torchvision's value. */
const EPSILON = 1e-7;

/** Libra R-CNN's L1, whose gradient for small errors is larger than that of smooth L1; elementwise, continuous at 1.
 *  Pang et al. 2019 (arXiv:1904.02701), eq. 9, with its α = 0.5 and γ = 1.5. */
export function balancedL1(prediction: Value, target: Value, { alpha = 0.5, gamma = 1.5 } = {}): Value {
  const distance = b.abs(b.sub(prediction, target));
  const near = b.minimum(distance, 1);
  const slope = Math.exp(gamma / alpha) - 1; // the paper's b: with it the gradients of the two pieces meet at 1
  const scaled = b.mul(near, slope);
  const inlier = b.sub(b.mul(b.mul(b.add(scaled, 1), b.log(b.add(scaled, 1))), alpha / slope), b.mul(near, alpha));
  return b.add(inlier, b.mul(b.sub(distance, near), gamma));
}

/** Corners of boxes that are given as offsets [..., 4] from anchors [..., 4] Cxcywh; the two broadcast. */
export function decodeOffsets(offsets: Value, anchors: Value, { centre, size }: CoderScale): Value {
  const column = (x: Value, first: number, width: number): Value => {
    const rows = x.shape.slice(0, -1);
    return b.slice(x, [...rows.map(() => 0), first], [...rows, width]);
  };
  const sides = column(anchors, 2, 2);
  const middle = b.add(b.mul(b.mul(column(offsets, 0, 2), 1 / centre), sides), column(anchors, 0, 2));
  const half = b.mul(b.mul(b.exp(b.minimum(b.mul(column(offsets, 2, 2), 1 / size), LARGEST_LOG_SIZE)), sides), 0.5);
  return b.concat([b.sub(middle, half), b.add(middle, half)], middle.shape.length - 1);
}

interface Corners {
  readonly low: Value;
  readonly high: Value;
}

/** The lower and the upper corners of boxes [R, 4] Xyxy, each [R, 2]. */
function corners(boxes: Value): Corners {
  const [rows] = boxes.shape as [number];
  return { low: b.slice(boxes, [0, 0], [rows, 2]), high: b.slice(boxes, [0, 2], [rows, 2]) };
}

/** Width times height: sides [R, 2] → [R, 1]. */
const area = (sides: Value): Value => {
  const [rows] = sides.shape as [number];
  return b.mul(b.slice(sides, [0, 0], [rows, 1]), b.slice(sides, [0, 1], [rows, 1]));
};

/** 1 − generalized IoU (Rezatofighi et al. 2019, arXiv:1902.09630), or 1 − distance IoU (Zheng et al. 2020,
 *  arXiv:1911.08287), of boxes [R, 4] Xyxy → [R, 1]. As torchvision's generalized_box_iou_loss and
 *  distance_box_iou_loss. */
export function iouLoss(prediction: Value, truth: Value, kind: 'giou' | 'diou'): Value {
  const [p, t] = [corners(prediction), corners(truth)];
  const inner = area(b.maximum(b.sub(b.minimum(p.high, t.high), b.maximum(p.low, t.low)), 0));
  const union = b.sub(b.add(area(b.sub(p.high, p.low)), area(b.sub(t.high, t.low))), inner);
  const overlap = b.div(inner, b.add(union, EPSILON));
  const enclosing = b.sub(b.maximum(p.high, t.high), b.minimum(p.low, t.low));
  if (kind === 'giou') {
    const hull = area(enclosing);
    const empty = b.div(b.sub(hull, union), b.add(hull, EPSILON));
    return b.add(b.sub(empty, overlap), 1);
  }
  const between = b.mul(b.sub(b.add(p.low, p.high), b.add(t.low, t.high)), 0.5);
  const distance = b.div(b.sum(b.square(between), [1], true), b.add(b.sum(b.square(enclosing), [1], true), EPSILON));
  return b.add(b.sub(distance, overlap), 1);
}

export interface BoxLossOptions {
  readonly kind: BoxLossKind;
  /** The error at which smoothL1 turns from a square into a line. */
  readonly beta: number;
  readonly scale: CoderScale;
}

/** Loss of each row: offsets and their targets [R, 4] from anchors [R, 4] Cxcywh → [R]. */
export function boxLoss(offsets: Value, targets: Value, anchors: Value, { kind, beta, scale }: BoxLossOptions): Value {
  const rows = [offsets.shape[0]!];
  if (kind === 'giou' || kind === 'diou') {
    const [prediction, truth] = [decodeOffsets(offsets, anchors, scale), decodeOffsets(targets, anchors, scale)];
    return b.reshape(iouLoss(prediction, truth, kind), rows);
  }
  if (kind === 'balancedL1') return b.sum(balancedL1(offsets, targets), [1]);
  if (kind === 'smoothL1') return b.sum(smoothL1(offsets, targets, beta), [1]);
  return b.sum(b.abs(b.sub(offsets, targets)), [1]);
}

/** Loss of each anchor: offsets and their targets [N, A, 4], anchors [A, 4] → [N, A]. */
export function anchorBoxLoss(offsets: Value, targets: Value, anchors: Cxcywh, options: BoxLossOptions): Value {
  const [batch, count] = offsets.shape as [number, number];
  const repeated = b.broadcastTo(b.constant(offsets.node.graph, [...anchors], [1, count, 4]), [batch, count, 4]);
  const [predicted, truth, from] = [offsets, targets, repeated].map((x) => b.reshape(x, [batch * count, 4])) as [
    Value,
    Value,
    Value,
  ];
  return b.reshape(boxLoss(predicted, truth, from, options), [batch, count]);
}
