import type * as Tfjs from '@tensorflow/tfjs-core';
import type { Ops } from '../../graph/spec.js';

/** Ops that combine several kernels: BatchNorm, the gradients of activations, the softmax cross-entropy. */

type Tf = typeof Tfjs;
type Vector = Tfjs.Tensor1D;

/** Sums over N, H and W, [N,H,W,C] → [C]. On wasm a product with a row of ones is five times faster than Sum. */
function sumPerChannel(tf: Tf, x: Tfjs.Tensor): Vector {
  const channels = x.shape.at(-1)!;
  const samples = x.size / channels;
  const ones: Tfjs.Tensor2D = tf.ones([1, samples]);
  return tf.reshape(tf.matMul(ones, tf.reshape(x, [samples, channels])), [channels]);
}

/** x, scale, shift, running mean, running variance → y, batch mean, unbiased batch variance, saved mean, saved biased
 *  variance, and one unused. */
export function batchNorm(
  tf: Tf,
  [x, scale, shift, runningMean, runningVariance]: readonly Tfjs.Tensor[],
  { training, epsilon }: Ops['batchNorm'],
): Tfjs.Tensor[] {
  const samples = x!.size / x!.shape[3]!;
  const { mean, variance } = training ? tf.moments(x!, [0, 1, 2]) : { mean: runningMean!, variance: runningVariance! };
  const y = tf.batchNorm(x!, mean, variance, shift, scale, epsilon);
  const unbiased = training ? tf.mul(variance, samples / Math.max(samples - 1, 1)) : tf.clone(variance);
  return [y, tf.clone(mean), unbiased, tf.clone(mean), tf.clone(variance), tf.clone(mean)];
}

/** dy, x, scale, saved mean, saved biased variance, unused → dx, dscale, dshift. Ioffe & Szegedy 2015
 *  (arXiv:1502.03167), §3. With x̂ = (x − mean)/√(variance + ε): dscale = Σ dy·x̂, dshift = Σ dy, and dx =
 *  scale/√(variance + ε)·(dy − (dshift + x̂·dscale)/M), without the last term where the statistics are the running
 *  ones. */
export function batchNormGrad(
  tf: Tf,
  [dy, x, scale, mean, variance]: readonly Tfjs.Tensor[],
  { training, epsilon }: Ops['batchNormGrad'],
): Tfjs.Tensor[] {
  const samples = x!.size / x!.shape[3]!;
  const inverse = tf.rsqrt(tf.add(variance!, epsilon));
  const dshift = sumPerChannel(tf, dy!);
  const dscale = tf.mul(inverse, sumPerChannel(tf, tf.mul(dy!, tf.sub(x!, mean!))));
  const slope = tf.mul(scale!, inverse);
  const direct = tf.mul(dy!, slope);
  if (!training) return [direct, dscale, dshift];
  const share = tf.mul(slope, -1 / samples);
  const offset: Vector = tf.mul(share, dshift);
  // x̂·share·dscale + offset is a BatchNorm, too, which takes one pass over x instead of four.
  const shared = tf.batchNorm(x!, mean as Vector, variance as Vector, offset, tf.mul<Vector>(share, dscale), epsilon);
  return [tf.add(direct, shared), dscale, dshift];
}

/** 1 where 0 < y < 6, else 0. */
const inside6 = (tf: Tf, y: Tfjs.Tensor): Tfjs.Tensor => tf.step(tf.mul(y, tf.sub(6, y)));

export const reluGrad = (tf: Tf, dy: Tfjs.Tensor, y: Tfjs.Tensor): Tfjs.Tensor => tf.mul(dy, tf.step(y));
export const relu6Grad = (tf: Tf, dy: Tfjs.Tensor, y: Tfjs.Tensor): Tfjs.Tensor => tf.mul(dy, inside6(tf, y));
export const sigmoidGrad = (tf: Tf, dy: Tfjs.Tensor, y: Tfjs.Tensor): Tfjs.Tensor =>
  tf.mul(dy, tf.sub(y, tf.square(y)));

/** d/dx x·σ(x) = σ(x)·(1 + x − y). */
export const swishGrad = (tf: Tf, dy: Tfjs.Tensor, x: Tfjs.Tensor, y: Tfjs.Tensor): Tfjs.Tensor =>
  tf.mul(tf.mul(dy, tf.sigmoid(x)), tf.add(tf.sub(x, y), 1));

/** d/dx x·relu6(x + 3)/6. */
export function hardSwishGrad(tf: Tf, dy: Tfjs.Tensor, x: Tfjs.Tensor): Tfjs.Tensor {
  const gate = tf.relu6(tf.add(x, 3));
  return tf.mul(tf.mul(dy, 1 / 6), tf.add(gate, tf.mul(x, inside6(tf, gate))));
}

/** int32 [...] → float32 [..., depth]; zeros for an index out of range. The result is cast from int32, because wasm
 *  writes the integer 1 into a float32 result. tfjs refuses a depth of 1, which a detector with one class has. */
export const oneHot = (tf: Tf, indices: Tfjs.Tensor, depth: number): Tfjs.Tensor =>
  tf.cast(depth === 1 ? tf.equal(tf.expandDims(indices, -1), tf.scalar(0, 'int32')) : tf.oneHot(indices, depth), 'float32'); // prettier-ignore

/** logits [N,C], class indices [N] → loss [N] and its gradient [N,C]. A class outside 0…C−1 gives an infinite loss. */
export function softmaxCrossEntropy(tf: Tf, [logits, classes]: readonly Tfjs.Tensor[]): Tfjs.Tensor[] {
  const chosen = oneHot(tf, classes!, logits!.shape[1]!);
  const shifted = tf.sub(logits!, tf.max(logits!, 1, true));
  const powers = tf.exp(shifted);
  const total = tf.sum(powers, 1, true); // [N,1]
  const loss = tf.sub(tf.log(tf.reshape(total, [-1])), tf.sum(tf.mul(shifted, chosen), 1));
  return [tf.div(loss, tf.sum(chosen, 1)), tf.sub(tf.div(powers, total), chosen)];
}
