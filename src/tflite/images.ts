import { isOp } from '../graph/builder.js';
import { sameShape, samePadding } from '../graph/shapes.js';
import type { Convolution, Node, Op, Padding, Pool, Shape, Value } from '../graph/spec.js';
import { fused, type Write } from './activations.js';
import type { Emission, Rule } from './emission.js';
import { isNonNegative } from './elementwise.js';
import { PADDING, type FusedActivation, type OperatorName } from './operators.js';

/** Convolutions, pools and other ops of images. */

interface Sliding {
  readonly stride: number;
  readonly dilation?: number;
  readonly padding: Padding;
}

/** What is added around an image that a window slides over: nothing, TensorFlow's `same`, or a node before. */
function framed(
  x: Value,
  kernel: Shape,
  { stride, dilation = 1, padding }: Sliding,
  at: Emission,
  fill: (image: string, amounts: string, shape: Shape) => string,
): { readonly image: string; readonly padding: number } {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [[top, bottom], [left, right]] = padding;
  if (top + bottom + left + right === 0) return { image: at.in(x), padding: PADDING.valid };
  const same = [samePadding(h, kernel[0]!, stride, dilation), samePadding(w, kernel[1]!, stride, dilation)];
  if (sameShape(same.flat(), padding.flat())) return { image: at.in(x), padding: PADDING.same };
  const amounts = at.ints([0, 0, top, bottom, left, right, 0, 0], [4, 2]);
  return {
    image: fill(at.in(x), amounts, [n, h + top + bottom, w + left + right, c]),
    padding: PADDING.valid,
  };
}
const withZeros =
  (x: Value, at: Emission) =>
  (image: string, amounts: string, shape: Shape): string =>
    at.withRangeOf(at.add('PAD', [image, amounts], { dtype: 'float32', shape }), x);

type AnyConvolution = Node<'conv'> | Node<'depthwise'>;
export const isConvolution = (node: Node): node is Node & AnyConvolution =>
  isOp(node, 'conv') || isOp(node, 'depthwise');

/** A convolution, with the bias that is added to it and the activation that follows. Our filters are HWIO and HWC1, and
 *  TFLite's OHWI and 1HWC. */
export function convolve(
  node: AnyConvolution,
  at: Emission,
  { bias, activation = 'none' }: { readonly bias?: Value; readonly activation?: FusedActivation } = {},
): readonly string[] {
  const [x, filter] = node.inputs as [Value, Value];
  const [y] = node.outputs as [Value];
  const window: Convolution = node.attrs;
  const { image, padding } = framed(x, filter.shape, window, at, withZeros(x, at));
  const isDepthwise = node.op === 'depthwise';
  const weight = at.permuted(filter, [3, 0, 1, 2]);
  const shift = bias ? at.in(bias) : at.floats(Array<number>(y.shape[3]!).fill(0), [y.shape[3]!]);
  const options = {
    padding,
    strideWidth: window.stride,
    strideHeight: window.stride,
    dilationWidth: window.dilation,
    dilationHeight: window.dilation,
    ...(isDepthwise && { multiplier: 1 }),
    ...fused(activation),
  };
  return [at.add(isDepthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D', [image, weight, shift], y, options)];
}
export const fuseIntoConvolution: Write = (node, at, activation) =>
  isConvolution(node) ? convolve(node, at, { activation }) : undefined;

/** The scaling of each channel of an image and the shift that follows, x · a + b, which is a convolution of single pixels.
 *  Undefined for another addition. Computed with int8, it gives each channel of a normalised picture its own scale. */
export function scaleChannels(node: Node<'add'>, at: Emission): readonly string[] | undefined {
  const [product, shift] = node.inputs as [Value, Value];
  if (!isOp(product.node, 'mul') || !at.hasOneReader(product) || product.shape.length !== 4) return undefined;
  const [x, scale] = product.node.inputs as [Value, Value];
  const channels = product.shape[3]!;
  const isVector = (value: Value): boolean => isOp(value.node, 'constant') && value.shape.join() === `${channels}`;
  if (!isVector(shift) || !isVector(scale) || !sameShape(x.shape, product.shape)) return undefined;
  const data = at.known(scale)!;
  const weight = at.constant('scale', { type: 'float32', shape: [1, 1, 1, channels], data });
  const options = {
    padding: PADDING.valid,
    strideWidth: 1,
    strideHeight: 1,
    multiplier: 1,
    dilationWidth: 1,
    dilationHeight: 1,
  };
  return [at.add('DEPTHWISE_CONV_2D', [at.in(x), weight, at.in(shift)], node.outputs[0]!, options)];
}

/** Interpolation as PyTorch's with align_corners=False. */
const resize: Rule<'resize'> = ({ attrs: { method, size }, inputs: [x], outputs: [y] }, at) => {
  const [, h, w] = x!.shape as [number, number, number, number];
  const goal = at.ints(size);
  if (method === 'bilinear')
    return [at.add('RESIZE_BILINEAR', [at.in(x!), goal], y!, { alignCorners: false, halfPixelCentres: true })];
  if (roundsAlike(h, size[0]) && roundsAlike(w, size[1]))
    return [at.add('RESIZE_NEAREST_NEIGHBOR', [at.in(x!), goal], y!, { alignCorners: false, halfPixelCentres: false })];
  return [pickPixels(at, x!, size)];
};

const nearest = (i: number, length: number, resized: number): number => Math.floor((i * length) / resized);
/** Whether the single precision of runtimes finds the same pixels. */
function roundsAlike(length: number, resized: number): boolean {
  const factor = Math.fround(length / resized);
  return Array.from({ length: resized }, (_, i) => i).every(
    (i) => Math.floor(Math.fround(i * factor)) === nearest(i, length, resized),
  );
}
function pickPixels(at: Emission, x: Value, size: readonly [number, number]): string {
  const shape = [...x.shape];
  return size.reduce((image, resized, i) => {
    const rows = Array.from({ length: resized }, (_, row) => nearest(row, x.shape[i + 1]!, resized));
    shape[i + 1] = resized;
    return at.add('GATHER', [image, at.ints(rows)], { dtype: 'float32', shape: [...shape] }, { axis: i + 1 });
  }, at.in(x));
}

const slide = (op: OperatorName, image: string, padding: number, { kernel, stride }: Pool, y: Value, at: Emission) =>
  at.add(op, [image], y, {
    padding,
    strideWidth: stride,
    strideHeight: stride,
    filterWidth: kernel[1],
    filterHeight: kernel[0],
  });

/** The padding of values that are not below 0 can be zeros. */
const maxPool: Rule<'maxPool'> = ({ attrs, inputs: [x], outputs: [y] }, at) => {
  const lowest = -3.4028234663852886e38; // of float32
  const fill = isNonNegative(x!)
    ? withZeros(x!, at)
    : (image: string, amounts: string, shape: Shape): string =>
        at.add('PADV2', [image, amounts, at.floats([lowest])], { dtype: 'float32', shape });
  const { image, padding } = framed(x!, attrs.kernel, attrs, at, fill);
  return [slide('MAX_POOL_2D', image, padding, attrs, y!, at)];
};

/** A BatchNorm that was not folded: (x − mean) · scale/√(variance + ε) + shift. */
const batchNorm: Rule<'batchNorm'> = ({ attrs: { epsilon }, inputs, outputs: [y] }, at) => {
  const [x, scale, shift, mean, variance] = inputs.map((value) => at.in(value)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const vector = inputs[1]!;
  const spread = at.add('RSQRT', [at.add('ADD', [variance, at.floats([epsilon])], vector)], vector);
  const factor = at.add('MUL', [scale, spread], vector);
  const scaled = at.add('MUL', [at.add('SUB', [x, mean], y!), factor], y!);
  return [at.add('ADD', [scaled, shift], y!), mean, variance, mean, variance, mean];
};

export const tfliteImages = {
  conv: (node, at) => convolve(node, at),
  depthwise: (node, at) => convolve(node, at),
  batchNorm,
  globalAveragePool: ({ inputs: [x], outputs: [y] }, at) => [
    at.add('MEAN', [at.in(x!), at.ints([1, 2])], y!, { keepDims: true }),
  ],
  maxPool,
  averagePool: ({ attrs, inputs: [x], outputs: [y] }, at) => [
    slide('AVERAGE_POOL_2D', at.in(x!), PADDING.valid, attrs, y!, at),
  ],
  resize,
} satisfies { [K in Op]?: Rule<K> };
