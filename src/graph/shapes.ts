import { FinetuneError, invariant } from '../errors.js';
import type { Convolution, Op, Ops, Padding, Pool, Shape, TensorType, Value, Window } from './spec.js';

type Rule<K extends Op> = (inputs: readonly Value[], attrs: Ops[K]) => readonly TensorType[];

const float = (shape: Shape): TensorType[] => [{ shape, dtype: 'float32' }];
const same = ([x]: readonly Value[]): TensorType[] => [{ shape: x!.shape, dtype: x!.dtype }];
const given = (_: readonly Value[], { shape, dtype }: TensorType): TensorType[] => [{ shape, dtype }];
const broadcast = ([a, b]: readonly Value[]): TensorType[] => [
  { shape: broadcastShape(a!.shape, b!.shape), dtype: a!.dtype },
];
const compare = ([a, b]: readonly Value[]): TensorType[] => [
  { shape: broadcastShape(a!.shape, b!.shape), dtype: 'bool' },
];

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Broadcasts two shapes by numpy's rule: they are aligned at the end, and axes of length 1 are stretched. Throws
 *  E_GRAPH_SHAPE. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw mismatch(`[${a.join()}] and [${b.join()}] do not broadcast`);
    return Math.max(m, n);
  });
}

function mismatch(message: string): FinetuneError {
  return new FinetuneError({ code: 'E_GRAPH_SHAPE', message });
}

/** Computes the length of a convolution's output along one axis. */
function windowLength(
  length: number,
  kernel: number,
  { stride, dilation }: Window,
  [before, after]: readonly [number, number],
): number {
  const extent = (kernel - 1) * dilation + 1;
  const room = length + before + after - extent;
  if (room < 0) throw mismatch(`a window of ${extent} does not fit into ${length} + ${before} + ${after}`);
  return Math.floor(room / stride) + 1;
}

/** Computes TensorFlow's padding `same` along one axis: as few zeros as possible, one more behind than before where
 *  they are odd. */
export function samePadding(length: number, kernel: number, stride: number, dilation = 1): readonly [number, number] {
  const extent = (kernel - 1) * dilation + 1;
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + extent - length, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Computes PyTorch's padding for an odd kernel: equal on all sides. */
export function symmetricPadding(kernel: number, dilation = 1): Padding {
  const p = Math.floor(((kernel - 1) * dilation) / 2);
  return [[p, p], [p, p]]; // prettier-ignore
}

/** Computes the type [N,H',W',channels] of the output of a window that slides over x. */
function windowed(x: Value, [kh, kw]: readonly number[], window: Window, channels: number): TensorType[] {
  const [n, h, w] = x.shape as [number, number, number, number];
  const [rows, columns] = window.padding;
  return float([n, windowLength(h, kh!, window, rows), windowLength(w, kw!, window, columns), channels]);
}

function convolve(x: Value, filter: Value, window: Convolution, channels: number): TensorType[] {
  const [c, inputs, groups] = [x.shape[3]!, filter.shape[2]!, window.groups ?? 1];
  if (inputs * groups !== c) throw mismatch(`a filter for ${inputs * groups} channels is applied to ${c}`);
  if (channels % groups !== 0) throw mismatch(`${channels} channels do not divide into ${groups} groups`);
  return windowed(x, filter.shape, window, channels);
}

const noPadding: Padding = [[0, 0], [0, 0]]; // prettier-ignore
const pooled = (x: Value, { kernel, stride }: Pool, padding: Padding): TensorType[] =>
  windowed(x, kernel, { stride, padding, dilation: 1 }, x.shape[3]!);

function reduced([x]: readonly Value[], { axes, keepDims }: Ops['sum']): TensorType[] {
  const shape = x!.shape.map((n, i) => (axes.includes(i) ? 1 : n)).filter((_, i) => keepDims || !axes.includes(i));
  return [{ shape, dtype: x!.dtype }];
}

const rules = {
  input: given,
  constant: given,
  param: (_, { shape }) => float(shape),
  conv: ([x, filter], window) => convolve(x!, filter!, window, filter!.shape[3]!),
  convInputGrad: (_, { inputShape }) => float(inputShape),
  convFilterGrad: (_, { filterShape }) => float(filterShape),
  depthwise: ([x, filter], window) => convolve(x!, filter!, window, filter!.shape[2]!),
  depthwiseInputGrad: (_, { inputShape }) => float(inputShape),
  depthwiseFilterGrad: (_, { filterShape }) => float(filterShape),
  matMul: ([a, b], { transposeA, transposeB }) => {
    const [m, k] = transposeA ? [a!.shape[1]!, a!.shape[0]!] : [a!.shape[0]!, a!.shape[1]!];
    const [l, n] = transposeB ? [b!.shape[1]!, b!.shape[0]!] : [b!.shape[0]!, b!.shape[1]!];
    if (k !== l) throw mismatch(`matMul of [${m},${k}] and [${l},${n}]`);
    return float([m, n]);
  },
  biasAdd: ([x, bias]) => {
    if (x!.shape.at(-1) !== bias!.shape[0]) throw mismatch(`a bias of ${bias!.shape[0]!} is added to ${x!.shape.at(-1)!} channels`);
    return float(x!.shape);
  },
  batchNorm: ([x, scale]) => {
    const channels = [x!.shape[3]!];
    if (scale!.shape[0] !== channels[0]) throw mismatch(`a BatchNorm of ${scale!.shape[0]!} channels is applied to ${channels[0]!}`);
    return [...float(x!.shape), ...Array.from({ length: 5 }, () => float(channels)[0]!)];
  },
  batchNormGrad: ([, x, scale]) => [...float(x!.shape), ...float(scale!.shape), ...float(scale!.shape)],
  globalAveragePool: ([x]) => float([x!.shape[0]!, 1, 1, x!.shape[3]!]),
  maxPool: ([x], pool) => pooled(x!, pool, pool.padding),
  maxPoolGrad: ([, x]) => float(x!.shape),
  averagePool: ([x], pool) => pooled(x!, pool, noPadding),
  averagePoolGrad: (_, { inputShape }) => float(inputShape),
  cropAndResize: ([x, windows], { size }) => float([windows!.shape[0]!, ...size, x!.shape[3]!]),
  cropAndResizeGrad: (_, { inputShape }) => float(inputShape),
  gather: ([x, indices]) => [{ shape: [...indices!.shape, ...x!.shape.slice(2)], dtype: x!.dtype }],
  nonMaxSuppression: ([boxes], { limit }) => {
    const [n] = boxes!.shape as [number];
    return [{ shape: [n, limit], dtype: 'int32' }, { shape: [n], dtype: 'int32' }]; // prettier-ignore
  },
  resize: ([x], { size }) => float([x!.shape[0]!, ...size, x!.shape[3]!]),
  resizeGrad: (_, { inputShape }) => float(inputShape),
  neg: same, abs: same, sign: same, square: same, sqrt: same, rsqrt: same, exp: same, log: same,
  sigmoid: same, softplus: same, relu: same, relu6: same, swish: same, hardSwish: same,
  reluGrad: same, relu6Grad: same, sigmoidGrad: same, swishGrad: same, hardSwishGrad: same,
  add: broadcast, sub: broadcast, mul: broadcast, div: broadcast, maximum: broadcast, minimum: broadcast,
  greater: compare, greaterEqual: compare, equal: compare,
  power: same,
  select: ([condition, a, b]) => {
    if (!sameShape(a!.shape, b!.shape) || !sameShape(condition!.shape, a!.shape)) throw mismatch('select needs three equal shapes');
    return same([a!]);
  },
  cast: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  reshape: ([x], { shape }) => {
    if (sizeOf(shape) !== sizeOf(x!.shape)) throw mismatch(`cannot reshape [${x!.shape.join()}] to [${shape.join()}]`);
    return [{ shape, dtype: x!.dtype }];
  },
  transpose: ([x], { permutation }) => [{ shape: permutation.map((axis) => x!.shape[axis]!), dtype: x!.dtype }],
  concat: (parts, { axis }) => {
    const length = parts.reduce((total, part) => total + part.shape[axis]!, 0);
    return [{ shape: parts[0]!.shape.map((n, i) => (i === axis ? length : n)), dtype: parts[0]!.dtype }];
  },
  slice: ([x], { begin, size }) => {
    if (begin.some((b, i) => b < 0 || b + size[i]! > x!.shape[i]!)) throw mismatch(`slice [${begin.join()}]+[${size.join()}] of [${x!.shape.join()}]`);
    return [{ shape: size, dtype: x!.dtype }];
  },
  pad: ([x], { paddings }) => [{ shape: x!.shape.map((n, i) => n + paddings[i]![0] + paddings[i]![1]), dtype: x!.dtype }],
  broadcastTo: ([x], { shape }) => {
    if (!sameShape(broadcastShape(x!.shape, shape), shape)) throw mismatch(`[${x!.shape.join()}] does not broadcast to [${shape.join()}]`);
    return [{ shape, dtype: x!.dtype }];
  },
  sum: reduced,
  max: reduced,
  oneHot: ([x], { depth }) => float([...x!.shape, depth]),
  topK: ([x], { k }) => {
    const most = x!.shape.at(-1) ?? 0;
    if (k > most) throw mismatch(`topK takes ${k} of ${most} values`);
    const shape = [...x!.shape.slice(0, -1), k];
    return [{ shape, dtype: 'float32' }, { shape, dtype: 'int32' }]; // prettier-ignore
  },
  softmaxCrossEntropy: ([logits]) => [...float([logits!.shape[0]!]), ...float(logits!.shape)],
  stopGradient: same,
  randomUniform: ([seed], { shape }) => {
    if (seed!.node.op !== 'input' || seed!.dtype !== 'int32' || !sameShape(seed!.shape, [2])) throw mismatch('randomUniform needs a seed that is fed, int32 [2]');
    return float(shape);
  },
  workersMean: (values) => values.flatMap(({ shape }) => float(shape)),
  addToSums: () => float([]),
  assign: same,
} satisfies { [K in Op]: Rule<K> }; // prettier-ignore

/** Infers the types of a node's outputs. Throws E_GRAPH_SHAPE when the inputs do not fit together. */
export function inferTypes<K extends Op>(op: K, inputs: readonly Value[], attrs: Ops[K]): readonly TensorType[] {
  const rule = rules[op] as Rule<K> | undefined;
  invariant(rule, `no shape rule for ${op}`);
  return rule(inputs, attrs);
}
