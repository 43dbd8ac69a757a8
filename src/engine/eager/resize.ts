import type * as Tfjs from '@tensorflow/tfjs-core';
import type { Interpolation, Ops } from '../../graph/spec.js';
import type { Images } from './conv.js';

/** Resizes images and computes the gradient, which wasm does not have. */

type Tf = typeof Tfjs;

export function resize(tf: Tf, x: Images, { method, size: [height, width] }: Ops['resize']): Images {
  const size: [number, number] = [height, width];
  if (method === 'nearest') return tf.image.resizeNearestNeighbor(x, size, false, false);
  return tf.image.resizeBilinear(x, size, false, true);
}

/** Computes the transposed weights with which `length` pixels of one axis become `resized` ones: [length, resized]. */
function spread(tf: Tf, method: Interpolation, length: number, resized: number): Tfjs.Tensor3D {
  const weights = new Float32Array(length * resized);
  for (let i = 0; i < resized; i++) {
    const at = method === 'nearest' ? Math.floor((i * length) / resized) : ((i + 0.5) * length) / resized - 0.5;
    const from = Math.max(at, 0);
    const low = Math.min(Math.floor(from), length - 1);
    const high = Math.min(low + 1, length - 1);
    weights[low * resized + i]! += 1 - (from - low);
    weights[high * resized + i]! += from - low;
  }
  return tf.tensor3d(weights, [1, length, resized]);
}

/** dy → dx: resizing is linear in rows and in columns, so that its gradient is two products with the transposed
 *  weights. */
export function resizeGrad(tf: Tf, dy: Images, { method, inputShape }: Ops['resizeGrad']): Images {
  const [n, rows, columns, channels] = dy.shape;
  const [height, width] = [inputShape[1]!, inputShape[2]!];
  const tall = tf.matMul(spread(tf, method, height, rows), tf.reshape(dy, [n, rows, columns * channels]));
  const wide = tf.matMul(spread(tf, method, width, columns), tf.reshape(tall, [n * height, columns, channels]));
  return tf.reshape(wide, [n, height, width, channels]);
}
