import type * as Tfjs from '@tensorflow/tfjs-core';
import type { Convolution, Padding, Shape } from '../../graph/spec.js';

/** Computes convolutions and their gradients with forward kernels alone: wasm has no Conv2DBackpropFilter and no
 *  depthwise gradients, its Conv2DBackpropInput is ten times slower than its Conv2D, and no backend supports a stride
 *  and a dilation together. */

type Tf = typeof Tfjs;
export type Images = Tfjs.Tensor4D;
type Pair = readonly [number, number];
type Side = [number, number];
export type ConvKind = 'conv' | 'depthwise';

const KERNELS = { conv: 'conv2d', depthwise: 'depthwiseConv2d' } as const;

const amounts = (padding: Padding, of: (amount: number) => number): Padding => {
  const pair = ([before, after]: Pair): Pair => [of(before), of(after)];
  return [pair(padding[0]), pair(padding[1])];
};
const toPad = (padding: Padding): Padding => amounts(padding, (amount) => Math.max(amount, 0));
const toCut = (padding: Padding): Padding => amounts(padding, (amount) => Math.max(-amount, 0));
const isNone = (padding: Padding): boolean => padding.flat().every((amount) => amount === 0);
/** Converts a padding to tfjs' form, which lists all four axes. */
const explicit = ([[top, bottom], [left, right]]: Padding): [Side, Side, Side, Side] => [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore

/** Removes the outermost rows and columns of x. */
function cut(tf: Tf, x: Images, margins: Padding): Images {
  if (isNone(margins)) return x;
  const [n, h, w, c] = x.shape;
  const [[top, bottom], [left, right]] = margins;
  return tf.slice(x, [0, top, left, 0], [n, h - top - bottom, w - left - right, c]);
}

/** Cuts out the part of x of the given shape that starts at this row and column. */
export const cutTo = (tf: Tf, x: Images, [row, column]: Pair, [n, h, w, c]: Images['shape']): Images =>
  tf.slice(x, [0, row, column, 0], [n, h, w, c]);

/** Pads rows and columns with zeros or another value; a negative amount removes as many instead. [N,H,W,C] →
 *  [N,H',W',C]. */
export function padOrCut(tf: Tf, x: Images, padding: Padding, value = 0): Images {
  const kept = cut(tf, x, toCut(padding));
  const around = toPad(padding);
  return isNone(around) ? kept : tf.pad(kept, explicit(around), value);
}

/** Keeps every stride-th row and column, from the first on; H and W are multiples of the stride.
 *  It takes a reshape and a contiguous slice, which is seven times faster than wasm's StridedSlice. */
export function subsample(tf: Tf, x: Images, stride: number): Images {
  if (stride === 1) return x;
  const [n, h, w, c] = x.shape;
  const [rows, columns] = [h / stride, w / stride];
  const blocks = tf.reshape(x, [n * rows, stride, columns, stride * c]);
  return tf.reshape(tf.slice(blocks, [0, 0, 0, 0], [n * rows, 1, columns, c]), [n, rows, columns, c]);
}

/** Inserts stride − 1 zeros after every row and column: the transpose of `subsample`. [N,H,W,C] → [N,H·s,W·s,C]. */
export function interleaveZeros(tf: Tf, x: Images, stride: number): Images {
  if (stride === 1) return x;
  const [n, h, w, c] = x.shape;
  const blocks = tf.pad(tf.reshape(x, [n * h, 1, w, c]), [[0, 0], [0, stride - 1], [0, 0], [0, (stride - 1) * c]]); // prettier-ignore
  return tf.reshape(blocks, [n, h * stride, w * stride, c]);
}

/** Splits both tensors into groups of channels, applies `each` to every pair and concatenates the results: no kernel of
 *  tfjs supports groups. */
function inGroups(
  tf: Tf,
  groups: number,
  [a, b]: readonly [Images, Images],
  each: (a: Images, b: Images) => Images,
): Images {
  const [as, bs] = [tf.split<Images>(a, groups, 3), tf.split<Images>(b, groups, 3)];
  return tf.concat<Images>(as.map((part, i) => each(part, bs[i]!)), 3); // prettier-ignore
}

/** Convolves x [N,H,W,G·I] with a filter [kh,kw,I,O] or [kh,kw,C,1] → [N,H',W',O]. */
export function convolve(tf: Tf, kind: ConvKind, x: Images, filter: Tfjs.Tensor4D, grouped: Convolution): Images {
  const { groups = 1, ...window } = grouped;
  if (groups > 1) return inGroups(tf, groups, [x, filter], (x, filter) => convolve(tf, kind, x, filter, window));
  const { stride, dilation, padding } = window;
  const kernel = tf[KERNELS[kind]];
  if (stride === 1 || dilation === 1) return kernel(x, filter, stride, explicit(padding), 'NHWC', dilation);
  const dense = kernel(padOrCut(tf, x, padding), filter, 1, 'valid', 'NHWC', dilation);
  const missing = (length: number): Pair => [0, (stride - (length % stride)) % stride];
  return subsample(tf, padOrCut(tf, dense, [missing(dense.shape[1]), missing(dense.shape[2])]), stride);
}

/** filter, dy → dx [N,H,W,I]: inserts the zeros of the stride into dy and convolves it with the filter, rotated by 180°
 *  (Dumoulin & Visin 2016, arXiv:1603.07285, §4). */
export function convolveInputGrad(
  tf: Tf,
  kind: ConvKind,
  filter: Tfjs.Tensor4D,
  dy: Images,
  grouped: Convolution & { readonly inputShape: Shape },
): Images {
  const { groups = 1, ...window } = grouped;
  const { stride, dilation, padding, inputShape } = window;
  if (groups > 1) {
    const each = { ...window, inputShape: [...inputShape.slice(0, 3), inputShape[3]! / groups] };
    return inGroups(tf, groups, [filter, dy], (filter, dy) => convolveInputGrad(tf, kind, filter, dy, each));
  }
  const [kh, kw] = filter.shape;
  const spread = interleaveZeros(tf, dy, stride); // [N,H'·s,W'·s,O]
  const turned = kh * kw === 1 ? filter : tf.reverse(filter, [0, 1]);
  const around = (axis: 0 | 1): Pair => {
    const before = (filter.shape[axis] - 1) * dilation - padding[axis][0];
    return [before, inputShape[axis + 1]! + padding[axis][0] - spread.shape[axis + 1]!];
  };
  const surroundings: Padding = [around(0), around(1)];
  const turnedWindow = { stride: 1, dilation, padding: toPad(surroundings) };
  const backward = kind === 'conv' ? tf.transpose(turned, [0, 1, 3, 2]) : turned;
  return convolve(tf, kind, cut(tf, spread, toCut(surroundings)), backward, turnedWindow);
}

/** x, dy → dfilter [kh,kw,I,O] or [kh,kw,C,1]. Each position of the filter is the product of dy with x, shifted
 *  accordingly. */
export function convolveFilterGrad(
  tf: Tf,
  kind: ConvKind,
  x: Images,
  dy: Images,
  grouped: Convolution & { readonly filterShape: Shape },
): Tfjs.Tensor4D {
  const { groups = 1, ...window } = grouped;
  const { stride, dilation, padding, filterShape } = window;
  if (groups > 1) {
    const each = { ...window, filterShape: [...filterShape.slice(0, 3), filterShape[3]! / groups] };
    return inGroups(tf, groups, [x, dy], (x, dy) => convolveFilterGrad(tf, kind, x, dy, each));
  }
  const [n, rows, columns, outputs] = dy.shape;
  const [kh, kw] = filterShape as [number, number, number, number];
  const channels = x.shape[3];
  const samples = n * rows * columns;
  // Long enough for a slice of H'·s rows and W'·s columns at every position.
  const around = (axis: 0 | 1): Pair => {
    const [before] = padding[axis];
    const length = (filterShape[axis]! - 1) * dilation + dy.shape[axis + 1]! * stride;
    return [before, length - before - x.shape[axis + 1]!];
  };
  const padded = padOrCut(tf, x, [around(0), around(1)]);
  const product = filterProduct(tf, kind, tf.reshape(dy, [samples, outputs]));
  const taps = Array.from({ length: kh * kw }, (_, tap) =>
    tf.tidy(() => {
      const begin = [0, Math.floor(tap / kw) * dilation, (tap % kw) * dilation, 0];
      const shifted = kh * kw === 1 ? padded : tf.slice(padded, begin, [n, rows * stride, columns * stride, channels]);
      return product(tf.reshape(subsample(tf, shifted, stride), [samples, channels]));
    }),
  );
  return tf.reshape(tf.concat(taps, 0), filterShape as [number, number, number, number]);
}

/** Returns a function of x [M,I] that computes xᵀ·dy [I,O] for dy [M,O], or for a depthwise filter its diagonal [1,C].
 *  On wasm a transposition and a product are ten times faster than a product with transposing flags, and a product with
 *  a row of ones is faster than Sum. */
function filterProduct(tf: Tf, kind: ConvKind, dy: Tfjs.Tensor2D): (x: Tfjs.Tensor2D) => Tfjs.Tensor2D {
  if (kind === 'conv') return (x) => tf.matMul(tf.transpose(x), dy);
  const ones = tf.ones([1, dy.shape[0]]);
  return (x) => tf.matMul(ones, tf.mul(x, dy));
}
