import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { hardest, smoothL1, softCrossEntropyRows } from './losses.js';

/** What a model that knows the first of the classes says of the batch, beside which another one is trained. */
export interface OldAnswers {
  /** As the task's own, with fewer columns in `logits`: the classes that come first. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Of the distillation in the whole loss. */
  readonly weight: number;
  /** Detection: where it scores an object this high, nothing is learnt as background. */
  readonly ignoreAbove: number;
  /** Classification. */
  readonly temperature: number;
}

/** The columns that the old model has: rows [R, C], old ones [R, D ≤ C] → [R, D]. */
const shared = (rows: Value, old: Value): Value => b.slice(rows, [0, 0], old.shape);

/** Kullback-Leibler divergence of the softmax over the old classes from that of the old model, row by row: what Li & Hoiem 2016
 *  (arXiv:1606.09282, eq. 2) minimise, less the old model's entropy, so that it is 0 where both say the same. [R, C], [R, D] → [R]. */
function softmaxDivergence(logits: Value, old: Value): Value {
  const powers = b.exp(b.sub(old, b.max(old, [1], true)));
  const targets = b.div(powers, b.sum(powers, [1], true));
  return b.sub(softCrossEntropyRows(shared(logits, old), targets), softCrossEntropyRows(old, targets));
}

/** The same for classes that answer yes or no, each by itself; the sum over them. [R, C], [R, D] → [R]. */
function sigmoidDivergence(logits: Value, old: Value): Value {
  const targets = b.sigmoid(old);
  const entropy = (x: Value): Value => b.sub(b.softplus(x), b.mul(targets, x));
  return b.sum(b.sub(entropy(shared(logits, old)), entropy(old)), [1]);
}

/** Classification: the mean over the images that are there (`present` [N], 1 or 0), times T², which keeps the gradient's size
 *  (Hinton et al. 2015, arXiv:1503.02531, §2). */
export function distilClasses(logits: Value, { outputs, temperature }: OldAnswers, present: Value): Value {
  const divergence = softmaxDivergence(b.mul(logits, 1 / temperature), b.mul(outputs['logits']!, 1 / temperature));
  const mean = b.div(b.sum(b.mul(divergence, present)), b.maximum(b.sum(present), 1));
  return b.mul(mean, temperature ** 2);
}

/** Anchors of an image that are held against the old model: as many as proposals in Shmelkov et al. 2017 (arXiv:1708.06977), §3.3. */
const DISTILLED_ANCHORS = 64;

/** How sure the old model is of an object at each anchor: logits [N, A, D] → [N, A], 0…1. */
export function oldObjectness({ outputs }: OldAnswers, softmax: boolean): Value {
  const logits = outputs['logits']!;
  const [batch, anchors] = logits.shape as [number, number, number];
  if (!softmax) return b.sigmoid(b.max(logits, [2]));
  const powers = b.exp(b.sub(logits, b.max(logits, [2], true)));
  const background = b.reshape(b.slice(powers, [0, 0, 0], [batch, anchors, 1]), [batch, anchors]);
  return b.add(b.neg(b.div(background, b.sum(powers, [2]))), 1);
}

/** Detection: on the anchors of each image where the old model is most sure of an object, the divergence of its classes, and the Huber
 *  loss of the offsets as far as it is sure. Like the other losses in shares of what is found: Σ over the anchors / Σ objectness, at least 1.
 *  offsets [N, A, 4], logits [N, A, C], objectness [N, A]. */
export function distilBoxes(
  { boxes: offsets, logits }: Readonly<Record<string, Value>>,
  { outputs }: OldAnswers,
  objectness: Value,
  softmax: boolean,
): Value {
  const { graph } = objectness.node;
  const [batch, anchors] = objectness.shape as [number, number];
  const everywhere = b.constant(graph, Array.from({ length: anchors }, () => 1), [1, anchors]); // prettier-ignore
  const wanted = b.constant(graph, [Math.min(DISTILLED_ANCHORS, anchors - 1)], [1, 1]);
  const chosen = hardest(objectness, b.broadcastTo(everywhere, [batch, anchors]), wanted);
  const flat = (x: Value): Value => b.reshape(x, [batch * anchors, x.shape[2]!]);
  const divergence = (softmax ? softmaxDivergence : sigmoidDivergence)(flat(logits!), flat(outputs['logits']!));
  const box = b.sum(smoothL1(flat(offsets!), flat(outputs['boxes']!)), [1]);
  const sure = b.mul(objectness, chosen);
  const classes = b.sum(b.mul(b.reshape(divergence, [batch, anchors]), chosen));
  const boxes = b.sum(b.mul(b.reshape(box, [batch, anchors]), sure));
  return b.div(b.add(classes, boxes), b.maximum(b.sum(sure), 1));
}
