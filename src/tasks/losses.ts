import * as b from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { ranks } from './ranks.js';

/** Huber's loss divided by β: ½d²/β where |d| < β, else |d| − ½β; elementwise. Girshick 2015 (arXiv:1504.08083), eq.
 *  3. */
export function smoothL1(prediction: Value, target: Value, beta = 1): Value {
  const distance = b.abs(b.sub(prediction, target));
  const near = b.minimum(distance, beta);
  return b.mul(b.mul(near, b.sub(distance, b.mul(near, 0.5))), 1 / beta);
}

/** What the sum of a loss over a batch is divided by: the total of the batch's weights, at least `least`. Workers that
 *  share a batch average their totals, so that the mean of their losses is the loss of the whole batch. */
export const batchTotal = (total: Value, workers = 1, least = 1): Value =>
  workers === 1 ? b.maximum(total, least) : b.maximum(b.workersMean([total])[0]!, least / workers);

export interface Focal {
  readonly alpha: number;
  readonly gamma: number;
}

/** α_t (1 − p_t)^γ times the cross-entropy, elementwise; γ is 0 or at least 1. Lin et al. 2017 (arXiv:1708.02002), eq.
 *  5. Targets are 0 or 1. With z = −x where the target is 1, else x, 1 − p_t is σ(z) and the cross-entropy is
 *  softplus(z). This takes half as many passes over [N, A, K] as the printed formula. */
export function focalLoss(logits: Value, targets: Value, { alpha, gamma }: Focal): Value {
  const z = b.mul(logits, b.add(b.mul(targets, -2), 1));
  const weight = b.add(b.mul(targets, 2 * alpha - 1), 1 - alpha); // α_t
  return b.mul(b.mul(weight, b.power(b.sigmoid(z), gamma)), b.softplus(z));
}

/** Probability that sigmoid classes begin with, so that the many background anchors do not drown the first steps. Lin
 *  et al. 2017 (arXiv:1708.02002), section 4.1. */
const PRIOR = 0.01;
/** Bias of a class predictor that begins with that probability. */
export const PRIOR_BIAS = -Math.log((1 - PRIOR) / PRIOR);

/** The focal loss of a matched anchor whose class has the initial probability. For γ ≥ 1 this is nearly the whole loss,
 *  because the share of the background, (1 − α)·πᵞ·π for each anchor and class, is tiny. Undefined for γ = 0, where it
 *  is not. `predictor` has the patterns of the class predictor's parameters. */
export const focalStart = ({ alpha, gamma }: Focal, predictor: readonly string[]) =>
  gamma === 0
    ? undefined
    : {
        part: 'class',
        loss: alpha * (1 - PRIOR) ** gamma * -Math.log(PRIOR),
        why: 'α·(1 − π)^γ·(−ln π), π = 0.01',
        predictor,
      };

/** Cross-entropy of each anchor: logits [N, A, C], classes int32 [N, A] in 0…C−1 → [N, A]. */
export function softmaxCrossEntropyRows(logits: Value, classes: Value): Value {
  const [n, a, c] = logits.shape as [number, number, number];
  const rows = b.softmaxCrossEntropy(b.reshape(logits, [n * a, c]), b.reshape(classes, [n * a]));
  return b.reshape(rows, [n, a]);
}

/** The hardest negatives of each image, `ratio` for each of its positives: a mask of zeros and ones without gradient.
 *  loss, positive, negative [N, A]. */
export const hardNegatives = (loss: Value, positive: Value, negative: Value, ratio: number): Value =>
  hardest(loss, negative, b.mul(b.sum(positive, [1], true), ratio));

/** The candidates of each image with the largest losses, `wanted` of them: a mask of zeros and ones without gradient.
 *  loss, candidates [N, A], wanted [N, 1]. Where the last of them have equal losses, all of those are left out. */
export function hardest(loss: Value, candidates: Value, wanted: Value): Value {
  const { graph } = loss.node;
  const anchors = loss.shape[1]!;
  const candidate = b.mul(b.add(b.stopGradient(loss), 1), candidates); // ≥ 1 for candidates, 0 for all others
  const [sorted] = b.topK(candidate, anchors) as [Value, Value];
  const dropped = b.cast(b.greaterEqual(ranks(graph, anchors), wanted), 'float32'); // [N, A], in the order of `sorted`
  const threshold = b.max(b.mul(sorted, dropped), [1], true); // the largest loss that is left out
  return b.mul(b.cast(b.greater(candidate, threshold), 'float32'), candidates);
}

/** Cross-entropy with soft targets: logits and targets [N, C] → [N]. A row of targets adds up to the weight of the
 *  row. */
export function softCrossEntropyRows(logits: Value, targets: Value): Value {
  const shifted = b.sub(logits, b.stopGradient(b.max(logits, [1], true)));
  const logTotal = b.log(b.sum(b.exp(shifted), [1], true)); // [N,1]
  return b.sum(b.mul(targets, b.sub(logTotal, shifted)), [1]);
}
