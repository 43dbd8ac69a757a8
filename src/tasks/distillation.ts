import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { batchTotal, hardest, smoothL1, softCrossEntropyRows } from './losses.js';

/** What the old model, which knows the first of the classes, says about the batch that a new model is trained on. */
export interface OldAnswers {
  /** The outputs that the task's own network has, with columns in `logits` for the old classes alone. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Weight of the distillation in the loss. */
  readonly weight: number;
  /** Detection: anchors on which the old model scores an object this high are not learnt as background. */
  readonly ignoreAbove: number;
  /** Classification: divides the logits of both models. */
  readonly temperature: number;
}

/** The columns that the old model has too: rows [R, C], rows of the old model [R, D ≤ C] → [R, D]. */
const shared = (rows: Value, old: Value): Value => b.slice(rows, [0, 0], old.shape);

/** Kullback-Leibler divergence of the softmax over the old classes from that of the old model, row by row. This is the
 *  loss of Li & Hoiem 2016 (arXiv:1606.09282, eq. 2) minus the entropy of the old model, so that it is 0 where both
 *  agree. [R, C], [R, D] → [R]. */
function softmaxDivergence(logits: Value, old: Value): Value {
  const powers = b.exp(b.sub(old, b.max(old, [1], true)));
  const targets = b.div(powers, b.sum(powers, [1], true));
  return b.sub(softCrossEntropyRows(shared(logits, old), targets), softCrossEntropyRows(old, targets));
}

/** The divergence for sigmoid classes, summed over the old classes. [R, C], [R, D] → [R]. */
function sigmoidDivergence(logits: Value, old: Value): Value {
  const targets = b.sigmoid(old);
  const entropy = (x: Value): Value => b.sub(b.softplus(x), b.mul(targets, x));
  return b.sum(b.sub(entropy(shared(logits, old)), entropy(old)), [1]);
}

/** The distillation loss of a classifier: the mean over the images of the batch, times T², which keeps the size of the
 *  gradient (Hinton et al. 2015, arXiv:1503.02531, §2). `present` [N] is 1 for an image and 0 for a place without
 *  one. */
export function distilClasses(
  logits: Value,
  { outputs, temperature }: OldAnswers,
  { present, workers }: { readonly present: Value; readonly workers: number | undefined },
): Value {
  const divergence = softmaxDivergence(b.mul(logits, 1 / temperature), b.mul(outputs['logits']!, 1 / temperature));
  const mean = b.div(b.sum(b.mul(divergence, present)), batchTotal(b.sum(present), workers));
  return b.mul(mean, temperature ** 2);
}

/** Anchors of each image that are compared with the old model: as many as the proposals of Shmelkov et al. 2017
 *  (arXiv:1708.06977), §3.3. */
const DISTILLED_ANCHORS = 64;

/** Probability of an object at each anchor, according to the old model: logits [N, A, D] → [N, A], 0…1. */
export function oldObjectness({ outputs }: OldAnswers, softmax: boolean): Value {
  const logits = outputs['logits']!;
  const [batch, anchors] = logits.shape as [number, number, number];
  if (!softmax) return b.sigmoid(b.max(logits, [2]));
  const powers = b.exp(b.sub(logits, b.max(logits, [2], true)));
  const background = b.reshape(b.slice(powers, [0, 0, 0], [batch, anchors, 1]), [batch, anchors]);
  return b.add(b.neg(b.div(background, b.sum(powers, [2]))), 1);
}

/** The distillation loss of a detector. On the anchors of each image where the old model is surest of an object, it
 *  adds the divergence of the classes and the Huber loss of the offsets, weighted by the objectness. As the other
 *  losses are divided by the number of matches, this one is divided by the sum of the objectness, at least 1. offsets
 *  [N, A, 4], logits [N, A, C], objectness [N, A]. */
export function distilBoxes(
  { boxes: offsets, logits }: Readonly<Record<string, Value>>,
  { outputs }: OldAnswers,
  {
    objectness,
    softmax,
    workers,
  }: { readonly objectness: Value; readonly softmax: boolean; readonly workers: number | undefined },
): Value {
  const { graph } = objectness.node;
  const [batch, anchors] = objectness.shape as [number, number];
  const ones = Array.from({ length: anchors }, () => 1);
  const everywhere = b.constant(graph, ones, [1, anchors]);
  const wanted = b.constant(graph, [Math.min(DISTILLED_ANCHORS, anchors - 1)], [1, 1]);
  const chosen = hardest(objectness, b.broadcastTo(everywhere, [batch, anchors]), wanted);
  const flat = (x: Value): Value => b.reshape(x, [batch * anchors, x.shape[2]!]);
  const divergence = (softmax ? softmaxDivergence : sigmoidDivergence)(flat(logits!), flat(outputs['logits']!));
  const box = b.sum(smoothL1(flat(offsets!), flat(outputs['boxes']!)), [1]);
  const sure = b.mul(objectness, chosen);
  const classes = b.sum(b.mul(b.reshape(divergence, [batch, anchors]), chosen));
  const boxes = b.sum(b.mul(b.reshape(box, [batch, anchors]), sure));
  return b.div(b.add(classes, boxes), batchTotal(b.sum(sure), workers));
}
