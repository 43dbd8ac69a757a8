import { isOp } from '../../graph/builder.js';
import type { Convolution, Node, Op, Padding, Shape, Value } from '../../graph/spec.js';
import { finiteBoxes } from '../boxes.js';
import { cropAndResize } from './crop.js';
import { paddingAttrs, valid, windowAttrs } from '../convolutions.js';
import {
  intScalar,
  intTensor,
  op2,
  padBy,
  paddingsOf,
  reshapeTo,
  rowsAt,
  sliceOf,
  T,
  type Emission,
  type Rule,
} from '../emission.js';
import { DT, type GraphDef } from '../graphDef.js';
import type { Rules } from '../inference.js';
import { reduction, tfOps } from '../ops.js';

/** Rules for ops that the graph models of TensorFlow.js, on its backends wasm and WebGL, do not have as TensorFlow has them. */

/** Stands for −∞ in the padding of a pool, which a product with 0 would make NaN. */
const LOWEST = -3.4e38;

type AnyConvolution = Node<'conv'> | Node<'depthwise'>;
const KERNELS = { conv: 'Conv2D', depthwise: 'DepthwiseConv2dNative' } as const;

const grown = ([n, h, w, c]: Shape, [[top, bottom], [left, right]]: Padding): Shape => [
  n!,
  h! + top + bottom,
  w! + left + right,
  c!,
];
const isNone = (padding: Padding): boolean => padding.flat().every((amount) => amount === 0);

/** A convolution with one group. No backend has both a stride and a dilation: the dense one is computed, and its rows and
 *  columns are picked. */
function convolve(
  { op, outputs: [y] }: AnyConvolution,
  { def }: Emission,
  [x, filter]: readonly [string, string],
  { window, image, kernel }: { readonly window: Convolution; readonly image: Shape; readonly kernel: Shape },
): string {
  const { stride, dilation, padding } = window;
  if (stride === 1 || dilation === 1) return def.add(KERNELS[op], [x, filter], windowAttrs(window, image, kernel));
  const padded = isNone(padding) ? x : padBy(def, x, [[0, 0], ...padding, [0, 0]]);
  const size = grown(image, padding);
  const dense = def.add(
    KERNELS[op],
    [padded, filter],
    windowAttrs({ ...window, stride: 1, padding: valid }, size, kernel),
  );
  const [n, rows, columns] = y!.shape as [number, number, number];
  const channels = kernel[3]! * (op === 'depthwise' ? kernel[2]! : 1);
  const [height, width] = [1, 2].map((axis) => size[axis]! - (kernel[axis - 1]! - 1) * dilation) as [number, number];
  const missing = (length: number, wanted: number): [number, number] => [0, Math.max(0, wanted * stride - length)];
  const whole = padBy(def, dense, [[0, 0], missing(height, rows), missing(width, columns), [0, 0]]);
  const cut = sliceOf(def, whole, [0, 0, 0, 0], [n, rows * stride, columns * stride, channels]);
  const blocks = reshapeTo(def, cut, [n * rows, stride, columns, stride * channels]);
  const picked = sliceOf(def, blocks, [0, 0, 0, 0], [n * rows, 1, columns, channels]);
  return reshapeTo(def, picked, [n, rows, columns, channels]);
}

/** Concatenates along an axis. */
const concat = (def: GraphDef, parts: readonly string[], axis: number): string =>
  def.add('ConcatV2', [...parts, intScalar(def, axis)], {
    ...T,
    N: { int: parts.length },
    Tidx: { type: DT.int32 },
  });
/** Groups of channels become convolutions of their own, each with its part of the filter as a constant. */
const conv: Rule<'conv'> = (node, at) => {
  const [x, filter] = node.inputs as [Value, Value];
  const { groups = 1, ...window } = node.attrs;
  const [image, weights] = at.inputs as [string, string];
  if (groups === 1) return [convolve(node, at, [image, weights], { window, image: x.shape, kernel: filter.shape })];
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [kh, kw, from, to] = filter.shape as [number, number, number, number];
  const [inputs, outputs] = [c / groups, to / groups];
  const parts = Array.from({ length: groups }, (_, i) => {
    const part = sliceOf(at.def, image, [0, 0, 0, i * inputs], [n, h, w, inputs]);
    const kernel = groupOfFilter(filter, at, weights, { group: i, count: outputs });
    return convolve(node, at, [part, kernel], { window, image: [n, h, w, inputs], kernel: [kh, kw, from, outputs] });
  });
  return [concat(at.def, parts, 3)];
};

/** The name of the constant with a group's part of a parameter. */
const groupName = (parameter: string, group: number): string => `${parameter}/group${group}`;
/** The parameter that a constant holds, or a part of it. */
export const parameterOf = (constant: string): string => constant.replace(/\/group\d+$/, '');

/** The columns of a filter that belong to a group. */
function groupOfFilter(
  { node, shape }: Value,
  at: Emission,
  weights: string,
  { group, count }: { readonly group: number; readonly count: number },
): string {
  const first = group * count;
  const [kh, kw, from, to] = shape as [number, number, number, number];
  if (!isOp(node, 'param')) return sliceOf(at.def, weights, [0, 0, 0, first], [kh, kw, from, count]);
  const { data } = at.constants.get(node.attrs.name)!;
  const values = new Float32Array(kh * kw * from * count);
  for (let row = 0; row < kh * kw * from; row++)
    values.set(data.subarray(row * to + first, row * to + first + count), row * count);
  const tensor = { dtype: 'float32', shape: [kh, kw, from, count], values } as const;
  const attrs = { dtype: { type: DT.float32 }, value: { tensor } };
  return at.def.add('Const', [], attrs, { name: groupName(node.attrs.name, group) });
}

const depthwise: Rule<'depthwise'> = (node, at) => {
  const [x, filter] = node.inputs as [Value, Value];
  const given = { window: node.attrs, image: x.shape, kernel: filter.shape };
  return [convolve(node, at, at.inputs as [string, string], given)];
};

/** Pools take no explicit padding. */
const maxPool: Rule<'maxPool'> = (node, at) => {
  const { kernel, stride, padding } = node.attrs;
  const [x] = node.inputs as [Value];
  const isExplicit = 'explicit_paddings' in paddingAttrs(padding, x.shape, kernel, { ...node.attrs, dilation: 1 });
  if (!isExplicit) return tfOps.maxPool(node, at);
  const { def } = at;
  const padded = def.add('PadV2', [at.inputs[0]!, paddingsOf(def, [[0, 0], ...padding, [0, 0]]), def.float(LOWEST)], {
    ...T,
    Tpaddings: { type: DT.int32 },
  });
  const window = { ksize: { ints: [1, ...kernel, 1] }, strides: { ints: [1, stride, stride, 1] } };
  return [def.add('MaxPool', [padded], { ...T, ...window, padding: { string: 'VALID' } })];
};

/** The backends multiply in single precision, which can round across a pixel: where it does, the rows and columns are listed. */
const resize: Rule<'resize'> = (node, at) => {
  const [x] = node.inputs as [Value];
  const { method, size } = node.attrs;
  const [, h, w] = x.shape as [number, number, number];
  if (method === 'bilinear' || (roundsAlike(h, size[0]) && roundsAlike(w, size[1]))) return tfOps.resize(node, at);
  const pick = (from: string, axis: number, length: number, resized: number): string =>
    rowsAt(
      at.def,
      from,
      at.def.ints(Array.from({ length: resized }, (_, i) => Math.floor((i * length) / resized))),
      axis,
    );
  return [pick(pick(at.inputs[0]!, 1, h, size[0]), 2, w, size[1])];
};
function roundsAlike(length: number, resized: number): boolean {
  const factor = Math.fround(length / resized);
  return Array.from({ length: resized }, (_, i) => i).every(
    (i) => Math.floor(Math.fround(i * factor)) === Math.floor((i * length) / resized),
  );
}
/** The backend wasm picks wrong rows in a gather with a batch: the rows of all images are one list. */
const gather: Rule<'gather'> = ({ inputs: [x, indices] }, { def, inputs: [values, rows] }) => {
  const { dtype } = x!;
  const [n, count, ...rest] = x!.shape as [number, number];
  const all = (name: string, shape: Shape, type: number): string =>
    def.add('Reshape', [name, def.ints(shape)], { T: { type }, Tshape: { type: DT.int32 } });
  const starts = intTensor(
    def,
    [n, 1],
    Array.from({ length: n }, (_, i) => i * count),
  );
  const numbers = n === 1 ? rows! : def.add('AddV2', [rows!, starts], { T: { type: DT.int32 } });
  const picked = rowsAt(def, all(values!, [n * count, ...rest], DT[dtype]), all(numbers, [-1], DT.int32), 0, DT[dtype]);
  return [all(picked, [...indices!.shape, ...rest], DT[dtype])];
};

/** Of the versions of this op TensorFlow.js knows only for those without padding that they need `executeAsync`, and writes a
 *  warning at every call of the others: the rows are padded by nodes of their own. */
const nonMaxSuppression: Rule<'nonMaxSuppression'> = (node, { def, inputs: [given, scores] }) => {
  const [n, p] = node.inputs[1]!.shape as [number, number];
  const { threshold, limit } = node.attrs;
  const int = { type: DT.int32 };
  const finite = finiteBoxes(def, given!);
  const limits = [intScalar(def, limit), def.float(threshold), def.float(-Infinity), def.float(0)];
  const kept = Array.from({ length: n }, (_, i) => {
    const own = reshapeTo(def, sliceOf(def, finite, [i, 0, 0], [1, p, 4]), [p, 4]);
    const ranked = reshapeTo(def, sliceOf(def, scores!, [i, 0], [1, p]), [p]);
    const rows = def.add('NonMaxSuppressionV5', [own, ranked, ...limits], T);
    const count = def.add('Shape', [rows], { T: int, out_type: int });
    const missing = def.add('Sub', [def.ints([limit]), count], { T: int });
    const padding = def.add('Pack', [def.ints([0]), missing], { T: int, N: { int: 2 }, axis: { int: 1 } });
    const padded = def.add('PadV2', [rows, padding, intScalar(def, 0)], { T: int, Tpaddings: int });
    return { padded, count: def.add('Reshape', [count, def.ints([])], { T: int, Tshape: int }) };
  });
  const pack = (names: readonly string[]): string =>
    def.add('Pack', names, { T: int, N: { int: n }, axis: { int: 0 } });
  return [pack(kept.map(({ padded }) => padded)), pack(kept.map(({ count }) => count))];
};

/** Casting to bool, wasm keeps other values than 0 and 1. */
const cast: Rule<'cast'> = (node, at) => {
  const { dtype } = node.inputs[0]!;
  if (node.attrs.dtype !== 'bool' || dtype === 'bool') return tfOps.cast(node, at);
  const zero = at.def.add('Const', [], {
    dtype: { type: DT[dtype] },
    value: { tensor: { dtype, shape: [], values: [0] } },
  });
  return [at.def.add('NotEqual', [at.inputs[0]!, zero], { T: { type: DT[dtype] } })];
};

/** The kernel of wasm writes integers where floats are asked for: an index is compared with each class. */
const oneHot: Rule<'oneHot'> = ({ attrs: { depth }, inputs: [indices] }, { def, inputs: [x] }) => {
  const int = { type: DT.int32 };
  const shape = def.ints([...indices!.shape, 1]);
  const column = def.add('Reshape', [x!, shape], { T: int, Tshape: int });
  const classes = intTensor(
    def,
    [depth],
    Array.from({ length: depth }, (_, i) => i),
  );
  const hits = def.add('Equal', [column, classes], { T: int });
  return [def.add('Cast', [hits], { SrcT: { type: DT.bool }, DstT: { type: DT.float32 } })];
};

export const tfjsRules: Rules = {
  ...tfOps,
  conv,
  depthwise,
  maxPool,
  resize,
  gather,
  cropAndResize,
  oneHot,
  nonMaxSuppression,
  cast,
  sum: reduction('Sum'),
  add: (_, { def, inputs }) => [op2(def, 'AddV2', inputs[0]!, inputs[1]!)],
} satisfies { [K in Op]: Rule<K> };
