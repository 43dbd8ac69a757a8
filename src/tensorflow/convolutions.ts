import { isOp } from '../graph/builder.js';
import { samePadding } from '../graph/shapes.js';
import type { Convolution, Node, Op, Padding, Shape, Value, Window } from '../graph/spec.js';
import { DT, type Attr, type GraphDef } from './graphDef.js';
import { NHWC, padBy, product, reshapeTo, sliceOf, T, type Emission, type Rule } from './emission.js';

/** TensorFlow's nodes for convolutions and their gradients. */

export function paddingAttrs(
  padding: Padding,
  [, h, w]: readonly number[],
  [kh, kw]: readonly number[],
  { stride, dilation }: Window,
): Record<string, Attr> {
  const equals = (a: readonly number[], b: readonly number[]): boolean => a[0] === b[0] && a[1] === b[1];
  const [rows, columns] = padding;
  if (equals(rows, [0, 0]) && equals(columns, [0, 0])) return { padding: { string: 'VALID' } };
  const same =
    equals(rows, samePadding(h!, kh!, stride, dilation)) && equals(columns, samePadding(w!, kw!, stride, dilation));
  if (same) return { padding: { string: 'SAME' } };
  return { padding: { string: 'EXPLICIT' }, explicit_paddings: { ints: [0, 0, ...rows, ...columns, 0, 0] } };
}

export function windowAttrs(window: Window, image: readonly number[], filter: readonly number[]): Record<string, Attr> {
  const { stride, dilation, padding } = window;
  return {
    ...T,
    strides: { ints: [1, stride, stride, 1] },
    dilations: { ints: [1, dilation, dilation, 1] },
    data_format: NHWC,
    ...paddingAttrs(padding, image, filter, window),
  };
}

/** Whether a convolution is a product of matrices (1×1, stride 1). oneDNN computes the gradients faster as products: on
 *  AVX2, the filter's in 0.7 of the time and the image's in 0.9. */
const isPointwise = ({ stride, padding, groups = 1 }: Convolution, [kh, kw]: Shape): boolean =>
  kh === 1 && kw === 1 && stride === 1 && groups === 1 && padding.flat().every((rows) => rows === 0);
const rowsOf = (def: GraphDef, x: string, shape: Shape): string => reshapeTo(def, x, [-1, shape.at(-1)!]);

const convolution =
  (op: string) =>
  (node: Node<'conv'> | Node<'depthwise'>, { def, inputs }: Emission): string[] => [
    def.add(op, inputs, windowAttrs(node.attrs, node.inputs[0]!.shape, node.inputs[1]!.shape)),
  ];
export const valid: Padding = [
  [0, 0],
  [0, 0],
];

/** Whether TensorFlow may fuse a convolution with a node that reads it. It never fuses a BatchNorm in training mode, or its gradient. */
const isFusible = ({ graph, outputs: [y] }: Node): boolean =>
  graph.nodes.some(
    (reader) =>
      reader.inputs.includes(y!) &&
      !(isOp(reader, 'batchNorm') && reader.attrs.training) &&
      !isOp(reader, 'batchNormGrad'),
  );

/** When TensorFlow fuses a depthwise convolution, it loses the EXPLICIT padding and aborts. Where it may fuse, a Pad node adds
 *  the zeros instead. */
const depthwise: Rule<'depthwise'> = (node, at) => {
  const { attrs, inputs } = node;
  const [x, filter] = inputs as [Value, Value];
  const explicit = 'explicit_paddings' in paddingAttrs(attrs.padding, x.shape, filter.shape, attrs);
  if (!explicit || !isFusible(node)) return convolution('DepthwiseConv2dNative')(node, at);
  const [place, weights] = at.inputs as [string, string];
  const padded = padBy(at.def, place, [[0, 0], ...attrs.padding, [0, 0]]);
  return [
    at.def.add(
      'DepthwiseConv2dNative',
      [padded, weights],
      windowAttrs({ ...attrs, padding: valid }, x.shape, filter.shape),
    ),
  ];
};

/** The window of a gradient, and the zeros to add around the image. oneDNN has gradients for VALID and SAME padding. For EXPLICIT
 *  padding TensorFlow has a slower kernel, and none if the convolution is dilated or grouped. Groups need no attribute: TensorFlow
 *  derives their number from the filter's channels. */
function paddedByHand(window: Convolution, image: Shape, filter: Shape): { window: Convolution; zeros: Padding } {
  const isExplicit = 'explicit_paddings' in paddingAttrs(window.padding, image, filter, window);
  return isExplicit ? { window: { ...window, padding: valid }, zeros: window.padding } : { window, zeros: valid };
}
const grown = ([n, h, w, c]: Shape, [[top, bottom], [left, right]]: Padding): Shape => [
  n!,
  h! + top + bottom,
  w! + left + right,
  c!,
];

const convInputGrad: Rule<'convInputGrad'> = (
  { attrs, inputs: [weights, gradient] },
  { def, inputs: [filter, dy] },
) => {
  const { inputShape } = attrs;
  if (isPointwise(attrs, weights!.shape)) {
    const matrix = reshapeTo(def, filter!, weights!.shape.slice(2));
    return [reshapeTo(def, product(def, rowsOf(def, dy!, gradient!.shape), matrix, { transposeB: true }), inputShape)];
  }
  const { window, zeros } = paddedByHand(attrs, inputShape, weights!.shape);
  const shape = grown(inputShape, zeros);
  const dx = def.add(
    'Conv2DBackpropInput',
    [def.ints(shape), filter!, dy!],
    windowAttrs(window, shape, weights!.shape),
  );
  return [zeros === valid ? dx : sliceOf(def, dx, [0, zeros[0][0], zeros[1][0], 0], inputShape)];
};

/** With fewer channels than this, the products gain less than the copies of the image cost. */
const WIDE = 32;
/** Whether to compute the filter's gradient as one product of matrices for each position in the filter. On AVX2 that is no slower
 *  than oneDNN's kernel and up to 2.5 times as fast (3×3, measured alone on a busy machine; docs/benchmarks.md has whole steps).
 *  With a dilation it was slower. Strides and groups were not tried. */
const isSumOfProducts = ({ stride, dilation, groups = 1 }: Convolution, [, , from, to]: Shape): boolean =>
  stride === 1 && dilation === 1 && groups === 1 && Math.min(from!, to!) >= WIDE;

/** For each position in the filter, multiplies the image, shifted by that position, by the output's gradient, both with one row
 *  per pixel. Each shifted copy waits for the product of the copy before it. */
function filterGradByPlaces(
  def: GraphDef,
  padded: string,
  dy: string,
  [kh, kw, from, to]: Shape,
  shape: Shape,
): string {
  const [n, h, w] = shape as [number, number, number];
  const changes = rowsOf(def, dy, shape);
  const products: string[] = [];
  for (let place = 0; place < kh! * kw!; place++) {
    const begin = def.ints([0, Math.floor(place / kw!), place % kw!, 0]);
    const after = { control: products.slice(-1) };
    const seen = def.add(
      'Slice',
      [padded, begin, def.ints([n, h, w, from!])],
      { ...T, Index: { type: DT.int32 } },
      after,
    );
    products.push(product(def, rowsOf(def, seen, [from!]), changes, { transposeA: true }));
  }
  const places = def.add('Pack', products, { ...T, N: { int: products.length }, axis: { int: 0 } });
  return reshapeTo(def, places, [kh!, kw!, from!, to!]);
}

const convFilterGrad: Rule<'convFilterGrad'> = (
  { attrs, inputs: [image, gradient] },
  { def, inputs: [x, dy], prefersMatrices },
) => {
  const { filterShape, padding } = attrs;
  const imageWithin = (zeros: Padding): string =>
    zeros.flat().some((rows) => rows > 0) ? padBy(def, x!, [[0, 0], ...zeros, [0, 0]]) : x!;
  if (isPointwise(attrs, filterShape)) {
    const [pixels, change] = [rowsOf(def, x!, image!.shape), rowsOf(def, dy!, gradient!.shape)];
    return [reshapeTo(def, product(def, pixels, change, { transposeA: true }), filterShape)];
  }
  if (prefersMatrices && isSumOfProducts(attrs, filterShape))
    return [filterGradByPlaces(def, imageWithin(padding), dy!, filterShape, gradient!.shape)];
  const { window, zeros } = paddedByHand(attrs, image!.shape, filterShape);
  const given = windowAttrs(window, grown(image!.shape, zeros), filterShape);
  return [def.add('Conv2DBackpropFilter', [imageWithin(zeros), def.ints(filterShape), dy!], given)];
};

/** Shape of a depthwise filter with the zeros of its dilation inserted. TensorFlow's depthwise gradients ignore the dilation
 *  attribute, so the filter itself is dilated. */
const dilatedShape = ([kh, kw, c]: Shape, dilation: number): Shape => [
  (kh! - 1) * dilation + 1,
  (kw! - 1) * dilation + 1,
  c!,
  1,
];
function dilate(def: GraphDef, filter: string, shape: Shape, d: number): string {
  if (d === 1) return filter;
  const [kh, kw, c] = shape as [number, number, number];
  const spread = padBy(def, reshapeTo(def, filter, [kh, 1, kw, c]), [
    [0, 0],
    [0, d - 1],
    [0, 0],
    [0, (d - 1) * c],
  ]);
  return sliceOf(def, reshapeTo(def, spread, [kh * d, kw * d, c, 1]), [0, 0, 0, 0], dilatedShape(shape, d));
}
/** The transpose of `dilate`: takes the values at the filter's own positions. */
function contract(def: GraphDef, dilated: string, shape: Shape, d: number): string {
  if (d === 1) return dilated;
  const [kh, kw, c] = shape as [number, number, number];
  const full = padBy(def, dilated, [
    [0, d - 1],
    [0, d - 1],
    [0, 0],
    [0, 0],
  ]);
  return reshapeTo(def, sliceOf(def, reshapeTo(def, full, [kh, d, kw, d * c]), [0, 0, 0, 0], [kh, 1, kw, c]), shape);
}
const depthwiseInputGrad: Rule<'depthwiseInputGrad'> = (
  { attrs, inputs: [weights] },
  { def, inputs: [filter, dy] },
) => {
  const { inputShape, dilation } = attrs;
  const dilated = dilate(def, filter!, weights!.shape, dilation);
  const window = windowAttrs({ ...attrs, dilation: 1 }, inputShape, dilatedShape(weights!.shape, dilation));
  return [def.add('DepthwiseConv2dNativeBackpropInput', [def.ints(inputShape), dilated, dy!], window)];
};
const depthwiseFilterGrad: Rule<'depthwiseFilterGrad'> = ({ attrs, inputs: [image] }, { def, inputs: [x, dy] }) => {
  const { filterShape, dilation } = attrs;
  const shape = dilatedShape(filterShape, dilation);
  const window = windowAttrs({ ...attrs, dilation: 1 }, image!.shape, shape);
  const gradient = def.add('DepthwiseConv2dNativeBackpropFilter', [x!, def.ints(shape), dy!], window);
  return [contract(def, gradient, filterShape, dilation)];
};

export const tfConv = {
  conv: convolution('Conv2D'),
  convInputGrad,
  convFilterGrad,
  depthwise,
  depthwiseInputGrad,
  depthwiseFilterGrad,
} satisfies { [K in Op]?: Rule<K> };
