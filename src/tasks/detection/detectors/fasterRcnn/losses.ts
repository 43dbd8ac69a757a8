import * as b from '../../../../graph/builder.js';
import { rowWeights } from '../../../rowWeights.js';
import type { Value } from '../../../../graph/spec.js';
import type { CoderScale } from '../../boxCoder.js';
import { boxLoss, type BoxLossKind } from '../../boxLosses.js';
import { batchTotal, smoothL1 } from '../../../losses.js';
import { sampleOrder, takeFirst, type SampleOptions } from './sampling.js';

/** The error at which smoothL1 turns from a square into a line, in both stages; torchvision's value. */
const BETA = 1 / 9;

/** The loss of the proposals: cross-entropy of the sampled anchors and smooth L1 of the positive ones among them, both
 *  divided by the number of sampled anchors. objectness, labels int32 [N,A] (1 object, 0 background, −1 not to be
 *  learnt), keys [N,A]; offsets, targets [N,A,4]. */
export function rpnLoss(
  {
    objectness,
    offsets,
    labels,
    targets,
    keys,
  }: Readonly<Record<'objectness' | 'offsets' | 'labels' | 'targets' | 'keys', Value>>,
  { workers, ...sample }: SampleOptions & { readonly workers: number | undefined },
): { readonly objectness: Value; readonly offsets: Value } {
  const positive = b.cast(b.greater(labels, 0), 'float32');
  const negative = b.cast(b.equal(labels, 0), 'float32');
  const taken = takeFirst(sampleOrder({ positive, negative, keys }, { ...sample, matchIou: 1 }), sample.count);
  const number = batchTotal(b.sum(taken), workers);
  const entropy = b.sub(b.softplus(objectness), b.mul(objectness, positive));
  const box = b.mul(b.sum(smoothL1(offsets, targets, BETA), [2]), b.mul(taken, positive));
  return { objectness: b.div(b.sum(b.mul(entropy, taken)), number), offsets: b.div(b.sum(box), number) };
}

/** Corners [R,4] → centres and sizes. Sizes are at least a thousandth of a pixel, so that padding rows have a
 *  logarithm. */
function centred(boxes: Value): { readonly middle: Value; readonly sides: Value } {
  const [rows] = boxes.shape as [number];
  const [low, high] = [b.slice(boxes, [0, 0], [rows, 2]), b.slice(boxes, [0, 2], [rows, 2])];
  return { middle: b.mul(b.add(low, high), 0.5), sides: b.maximum(b.sub(high, low), 1e-3) };
}

export interface SampledBoxes {
  /** [R,columns], [R,4·columns]. */
  readonly logits: Value;
  readonly offsets: Value;
  /** [N,S,4], R = N·S: the sampled boxes, and the object that each belongs to. */
  readonly boxes: Value;
  readonly truth: Value;
  /** int32 [N,S]: the column of the object's class. */
  readonly classes: Value;
  /** [N,S]: 1 for a row that was sampled, and 1 for a row that learns its object. */
  readonly taken: Value;
  readonly positive: Value;
}

/** The loss of the second stage: cross-entropy of the sampled boxes, and for the positive ones the loss of the box of
 *  their class, both divided by the number of sampled boxes. */
export function boxHeadLoss(
  { logits, offsets, boxes, truth, classes, taken, positive }: SampledBoxes,
  {
    kind,
    scale,
    classWeights,
    workers,
  }: {
    readonly kind: BoxLossKind;
    readonly scale: CoderScale;
    readonly classWeights?: readonly number[] | undefined;
    readonly workers: number | undefined;
  },
): { readonly classes: Value; readonly offsets: Value } {
  const [rows, columns] = logits.shape as [number, number];
  const flat = (x: Value): Value => b.reshape(x, [rows]);
  const isPositive = b.mul(flat(positive), flat(taken));
  const labels = b.cast(b.mul(b.cast(flat(classes), 'float32'), isPositive), 'int32');
  const number = batchTotal(b.sum(taken), workers);
  const plain = b.softmaxCrossEntropy(logits, labels);
  const entropy = classWeights ? b.mul(plain, rowWeights(b.sub(labels, 1), classWeights)) : plain;
  const [from, to] = [centred(b.reshape(boxes, [rows, 4])), centred(b.reshape(truth, [rows, 4]))];
  const centre = b.mul(b.div(b.sub(to.middle, from.middle), from.sides), scale.centre);
  const targets = b.concat([centre, b.mul(b.log(b.div(to.sides, from.sides)), scale.size)], 1);
  const hot = b.reshape(b.oneHot(labels, columns), [rows, 1, columns]);
  const own = b.sum(b.mul(b.reshape(offsets, [rows, 4, columns]), hot), [2]); // [R,4], for the class of the row
  const anchors = b.concat([from.middle, from.sides], 1);
  const perBox = boxLoss(own, targets, anchors, { kind, beta: BETA, scale });
  return {
    classes: b.div(b.sum(b.mul(entropy, flat(taken))), number),
    offsets: b.div(b.sum(b.mul(perBox, isPositive)), number),
  };
}
