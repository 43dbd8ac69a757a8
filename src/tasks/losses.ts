import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';

/** Huber's loss over β: ½d²/β where |d| < β, else |d| − ½β; elementwise. Girshick 2015 (arXiv:1504.08083), eq. 3. */
export function smoothL1(prediction: Value, target: Value, beta = 1): Value {
  const distance = b.abs(b.sub(prediction, target));
  const near = b.minimum(distance, beta);
  return b.mul(b.mul(near, b.sub(distance, b.mul(near, 0.5))), 1 / beta);
}

export interface Focal {
  readonly alpha: number;
  readonly gamma: number;
}

/** α_t (1 − p_t)^γ times the cross-entropy, elementwise; γ is 0 or at least 1. Lin et al. 2017 (arXiv:1708.02002), eq. 5.
 *  targets are 0 or 1: with z = ±x, negative where the target is 1, 1 − p_t is σ(z) and the cross-entropy softplus(z),
 *  which takes half the passes over [N, A, K] of the formula as it is printed. */
export function focalLoss(logits: Value, targets: Value, { alpha, gamma }: Focal): Value {
  const z = b.mul(logits, b.add(b.mul(targets, -2), 1));
  const weight = b.add(b.mul(targets, 2 * alpha - 1), 1 - alpha); // α_t
  return b.mul(b.mul(weight, b.power(b.sigmoid(z), gamma)), b.softplus(z));
}

/** What the focal loss takes of a matched anchor whose class has the probability π: all that counts where γ ≥ 1, for then the background's share, (1 − α)·πᵞ·π an anchor and
 *  class, is next to nothing. Undefined for γ = 0. */
export const focalStart = ({ alpha, gamma }: Focal, prior: number): number | undefined =>
  gamma === 0 ? undefined : alpha * (1 - prior) ** gamma * -Math.log(prior);

/** Cross-entropy of each anchor: logits [N, A, C], classes int32 [N, A] in 0…C−1 → [N, A]. */
export function softmaxCrossEntropyRows(logits: Value, classes: Value): Value {
  const [n, a, c] = logits.shape as [number, number, number];
  const rows = b.softmaxCrossEntropy(b.reshape(logits, [n * a, c]), b.reshape(classes, [n * a]));
  return b.reshape(rows, [n, a]);
}

/** The hardest negatives of each image, as many as `ratio` times its positives: a mask of zeros and ones without gradient.
 *  loss, positive, negative [N, A]. */
export const hardNegatives = (loss: Value, positive: Value, negative: Value, ratio: number): Value =>
  hardest(loss, negative, b.mul(b.sum(positive, [1], true), ratio));

/** The candidates of each image whose loss is largest, as many as are wanted: a mask of zeros and ones without gradient.
 *  loss, candidates [N, A], wanted [N, 1]; equal losses at the border are left out together. */
export function hardest(loss: Value, candidates: Value, wanted: Value): Value {
  const { graph } = loss.node;
  const anchors = loss.shape[1]!;
  const candidate = b.mul(b.add(b.stopGradient(loss), 1), candidates); // ≥ 1 for candidates, 0 for all others
  const [sorted] = b.topK(candidate, anchors) as [Value, Value];
  const ranks = b.constant(graph, Array.from({ length: anchors }, (_, i) => i), [1, anchors]); // prettier-ignore
  const dropped = b.cast(b.greaterEqual(ranks, wanted), 'float32'); // [N, A], in the order of `sorted`
  const threshold = b.max(b.mul(sorted, dropped), [1], true); // the largest loss that is left out
  return b.mul(b.cast(b.greater(candidate, threshold), 'float32'), candidates);
}

/** Cross-entropy with soft targets: logits and targets [N, C], each row of targets with its weight as its sum → [N]. */
export function softCrossEntropyRows(logits: Value, targets: Value): Value {
  const shifted = b.sub(logits, b.stopGradient(b.max(logits, [1], true)));
  const logTotal = b.log(b.sum(b.exp(shifted), [1], true)); // [N,1]
  return b.sum(b.mul(targets, b.sub(logTotal, shifted)), [1]);
}
