import type * as Tfjs from '@tensorflow/tfjs-core';
import type { Ops } from '../../graph/spec.js';
import { convolveInputGrad, cutTo, interleaveZeros, padOrCut, subsample, type Images } from './conv.js';

/** Computes pools and their gradients with forward kernels alone: wasm has no gradients of pools. */

type Tf = typeof Tfjs;

/** Replaces −∞ in the padding: infinity times the 0 of a mask would be NaN. */
const LOWEST = -3.4e38;
const noPadding = [[0, 0], [0, 0]] as const; // prettier-ignore

export function maxPool(tf: Tf, x: Images, { kernel, stride, padding }: Ops['maxPool']): Images {
  return tf.maxPool(padOrCut(tf, x, padding, LOWEST), [...kernel], stride, 'valid');
}

/** dy, x, y → dx: goes through the positions of the window, and adds dy at the first one where x equals y. */
export function maxPoolGrad(
  tf: Tf,
  [dy, x, y]: readonly [Images, Images, Images],
  { kernel: [kh, kw], stride, padding }: Ops['maxPoolGrad'],
): Images {
  const [n, rows, columns, channels] = y.shape;
  const [[top], [left]] = padding;
  // Long enough for H'·s rows and W'·s columns at every position.
  const [height, width] = [rows * stride + kh - 1, columns * stride + kw - 1];
  const frame = [[top, height - top - x.shape[1]], [left, width - left - x.shape[2]]] as const; // prettier-ignore
  const padded = padOrCut(tf, x, frame, LOWEST);
  let free = tf.onesLike(y);
  let dx: Images = tf.zeros([n, height, width, channels]);
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const seen = subsample(
        tf,
        tf.slice(padded, [0, i, j, 0], [n, rows * stride, columns * stride, channels]),
        stride,
      );
      const peak = tf.mul<Images>(free, tf.cast(tf.equal(seen, y), 'float32'));
      free = tf.sub(free, peak);
      const share = interleaveZeros(tf, tf.mul<Images>(dy, peak), stride);
      dx = tf.add(dx, tf.pad(share, [[0, 0], [i, kh - 1 - i], [j, kw - 1 - j], [0, 0]])); // prettier-ignore
    }
  }
  return cutTo(tf, dx, [top, left], x.shape);
}

export function averagePool(tf: Tf, x: Images, { kernel, stride }: Ops['averagePool']): Images {
  return tf.avgPool(x, [...kernel], stride, 'valid');
}

/** dy → dx: a mean is a depthwise convolution with equal weights. */
export function averagePoolGrad(tf: Tf, dy: Images, { kernel, stride, inputShape }: Ops['averagePoolGrad']): Images {
  const weights: Tfjs.Tensor4D = tf.fill([...kernel, dy.shape[3], 1], 1 / (kernel[0] * kernel[1]));
  return convolveInputGrad(tf, 'depthwise', weights, dy, { stride, dilation: 1, padding: noPadding, inputShape });
}
