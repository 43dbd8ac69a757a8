import type * as Tfjs from '@tensorflow/tfjs';
import type { Ops } from '../../graph/spec.js';
import { convolveInputGrad, cutTo, interleaveZeros, padOrCut, subsample, type Images } from './conv.js';

/** Pools and their gradients from forward kernels alone: wasm has no gradients of pools. */

type Tf = typeof Tfjs;

/** Stands for −∞ around an image: infinity times a mask's 0 would be no number. */
const LOWEST = -3.4e38;
const noPadding = [[0, 0], [0, 0]] as const; // prettier-ignore

export function maxPool(tf: Tf, x: Images, { kernel, stride, padding }: Ops['maxPool']): Images {
  return tf.maxPool(padOrCut(tf, x, padding, LOWEST), [...kernel], stride, 'valid');
}

/** dy, x, y → dx: position by position of the window, dy goes where x equals y and no earlier position did. */
export function maxPoolGrad(
  tf: Tf,
  [dy, x, y]: readonly [Images, Images, Images],
  { kernel: [kh, kw], stride, padding }: Ops['maxPoolGrad'],
): Images {
  const [n, rows, columns, channels] = y.shape;
  const [[top], [left]] = padding;
  // So long that H'·s rows and W'·s columns fit at every position.
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
