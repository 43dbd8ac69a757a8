import type * as Tfjs from '@tensorflow/tfjs-core';
import type { Ops } from '../../graph/spec.js';
import type { Images } from './conv.js';

/** Crops windows of images, with the gradient that of all backends only TensorFlow has, and suppresses overlapping
 *  boxes. */

type Tf = typeof Tfjs;
type Tensors = readonly Tfjs.Tensor[];

export function cropAndResize(tf: Tf, [images, windows, index]: Tensors, { size }: Ops['cropAndResize']): Tfjs.Tensor {
  const [height, width] = [Math.max(images!.shape[1]! - 1, 1), Math.max(images!.shape[2]! - 1, 1)];
  const shares = tf.div<Tfjs.Tensor2D>(windows!, [height, width, height, width]);
  return tf.image.cropAndResize(images as Images, shares, index as Tfjs.Tensor1D, [...size], 'bilinear', 0);
}

/** Computes the weight of each pixel of an axis in each sample: first, last [R,1] → [R,samples,length], max(0, 1 −
 *  |sample − pixel|), or 0 for samples outside the image. */
function sampleWeights(tf: Tf, first: Tfjs.Tensor, last: Tfjs.Tensor, samples: number, length: number): Tfjs.Tensor3D {
  const step = tf.div(tf.range(0, samples), Math.max(samples - 1, 1));
  const at = tf.expandDims(tf.add(first, tf.mul(tf.sub(last, first), step)), 2); // [R,samples,1]
  const weights = tf.relu(tf.sub(1, tf.abs(tf.sub(at, tf.range(0, length)))));
  const inside = tf.mul(tf.cast(tf.greaterEqual(at, 0), 'float32'), tf.cast(tf.lessEqual(at, length - 1), 'float32'));
  return tf.mul(weights, inside);
}

/** dy [R,h,w,C], windows, image indices → dimages: the sum over windows of rowsᵀ · dy · columns, computed as two
 *  products. */
export function cropAndResizeGrad(
  tf: Tf,
  [dy, windows, index]: Tensors,
  { inputShape }: Ops['cropAndResizeGrad'],
): Tfjs.Tensor {
  const [n, height, width, channels] = inputShape as [number, number, number, number];
  const [count, rows, columns] = dy!.shape as [number, number, number];
  const [top, left, bottom, right] = tf.split(windows!, 4, 1) as [Tfjs.Tensor, Tfjs.Tensor, Tfjs.Tensor, Tfjs.Tensor];
  const across = sampleWeights(tf, left, right, columns, width); // [R,w,W]
  const spread = tf.matMul(tf.reshape(tf.transpose(dy!, [0, 1, 3, 2]), [count, rows * channels, columns]), across); // [R, h·C, W]
  const down = sampleWeights(tf, top, bottom, rows, height); // [R,h,H]
  const image = tf.cast(tf.equal(tf.expandDims(index!, 1), tf.range(0, n, 1, 'int32')), 'float32'); // [R,N]
  const place = tf.mul(tf.reshape(image, [count, 1, n, 1]), tf.expandDims(down, 2)); // [R,h,N,H]
  const summed = tf.matMul(
    tf.transpose(tf.reshape<Tfjs.Rank.R2>(place, [count * rows, n * height])),
    tf.reshape<Tfjs.Rank.R2>(spread, [count * rows, channels * width]),
  );
  return tf.transpose(tf.reshape(summed, [n, height, channels, width]), [0, 1, 3, 2]);
}

/** x [N,A,…], indices [N,K] → [N,K,…]. It gathers from the rows of all images at once, because wasm's batched gather
 *  picks wrong rows. */
export function gather(tf: Tf, x: Tfjs.Tensor, indices: Tfjs.Tensor): Tfjs.Tensor {
  const [n, a, ...rest] = x.shape as [number, number];
  const starts = tf.reshape(tf.range(0, n * a, a, 'int32'), [n, 1]);
  const rows = tf.reshape(tf.add(indices, starts), [-1]);
  return tf.reshape(tf.gather(tf.reshape(x, [n * a, ...rest]), rows), [...indices.shape, ...rest]);
}

export function nonMaxSuppression(
  tf: Tf,
  [boxes, scores]: Tensors,
  { threshold, limit }: Ops['nonMaxSuppression'],
): Tfjs.Tensor[] {
  const each = tf.unstack(boxes!).map((own, i) => {
    const ranked = tf.reshape<Tfjs.Rank.R1>(tf.slice(scores!, [i, 0], [1, -1]), [-1]);
    return tf.image.nonMaxSuppressionPadded(
      own as Tfjs.Tensor2D,
      ranked,
      limit,
      threshold,
      Number.NEGATIVE_INFINITY,
      true,
    );
  });
  return [tf.stack(each.map((kept) => kept.selectedIndices!)), tf.stack(each.map((kept) => tf.reshape(kept.validOutputs!, [])))]; // prettier-ignore
}
