import * as b from '../../src/graph/builder.js';
import { samePadding, symmetricPadding } from '../../src/graph/shapes.js';
import type { ActivationGrad, DType, Op, Padding, Shape, Unary, Value, Window } from '../../src/graph/spec.js';
import type { RandomStream } from '../../src/random.js';

/** One fed tensor of a case. */
export interface Operand {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Whether the gradient with respect to it is asked for. */
  readonly varies: boolean;
  /** Its i-th value. */
  readonly draw: (random: RandomStream, i: number) => number;
}

/** A small graph that is a function of its operands. */
export interface OpCase {
  readonly label: string;
  readonly operands: readonly Operand[];
  readonly build: (...operands: Value[]) => Value;
}

type Draw = Operand['draw'];
const operand = (shape: Shape, draw: Draw): Operand => ({ shape, dtype: 'float32', varies: true, draw });
const uniform =
  (low: number, high: number): Draw =>
  (random) =>
    random.uniform(low, high);
/** At least 0.05 away from every kink, so that a central difference does not straddle it. */
const awayFrom =
  (kinks: readonly number[], low: number, high: number): Draw =>
  (random) => {
    for (;;) {
      const value = random.uniform(low, high);
      if (kinks.every((kink) => Math.abs(value - kink) > 0.05)) return value;
    }
  };
/** A permutation of 0 … count − 1 that starts at 6, times `scale`, plus `offset`. The factor is coprime to all counts in use. */
const shuffled =
  (count: number, factor: 5 | 7, scale: number, offset = 0): Draw =>
  (_, i) =>
    ((i * factor + 6) % count) * scale + offset;

const any = (...shape: number[]): Operand => operand(shape, uniform(-2, 2));
const positive = (...shape: number[]): Operand => operand(shape, uniform(0.8, 2));
const fixed = (shape: Shape, dtype: DType, draw: Draw): Operand => ({ shape, dtype, varies: false, draw });

const unary = (op: Exclude<Unary, 'sign'>, x: Operand): OpCase[] => [
  { label: op, operands: [x], build: (x) => b[op](x) },
];
const binary = (op: 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum', right: Draw, left: Draw = right): OpCase[] =>
  [
    [[2, 3], [2, 3]],
    [[2, 3], [3]],
    [[], [2, 3]],
    [[2, 1, 3], [4, 1]],
  ].map(([m, n]) => ({
    label: `${op} [${m!.join()}] [${n!.join()}]`,
    operands: [operand(m!, left), operand(n!, right)],
    build: (x, y) => b[op](x, y),
  })); // prettier-ignore

const symmetric = (kernel: number, dilation = 1): Padding => symmetricPadding(kernel, dilation);
const none: Padding = [[0, 0], [0, 0]]; // prettier-ignore
const uneven: Padding = [[2, 0], [1, 2]]; // prettier-ignore
const same = (height: number, width: number, kernel: number, stride: number): Padding => [
  samePadding(height, kernel, stride),
  samePadding(width, kernel, stride),
];

/** Images of 6 × 5: at stride 2, `same` pads rows and columns differently. */
export const windows: readonly (readonly [label: string, kernel: Shape, window: Window])[] = [
  ['3×3', [3, 3], { stride: 1, dilation: 1, padding: symmetric(3) }],
  ['3×3 without padding', [3, 3], { stride: 1, dilation: 1, padding: none }],
  ['3×3, stride 2, symmetric', [3, 3], { stride: 2, dilation: 1, padding: symmetric(3) }],
  ['3×3, stride 2, same', [3, 3], { stride: 2, dilation: 1, padding: same(6, 5, 3, 2) }],
  ['3×3, uneven padding', [3, 3], { stride: 1, dilation: 1, padding: uneven }],
  ['3×3, stride 2, uneven padding', [3, 3], { stride: 2, dilation: 1, padding: uneven }],
  ['3×3, dilation 2', [3, 3], { stride: 1, dilation: 2, padding: symmetric(3, 2) }],
  ['3×3, dilation 2, uneven padding', [3, 3], { stride: 1, dilation: 2, padding: uneven }],
  ['3×3, stride 2, dilation 2', [3, 3], { stride: 2, dilation: 2, padding: symmetric(3, 2) }],
  ['2×3, stride 2', [2, 3], { stride: 2, dilation: 1, padding: none }],
  ['2×2, stride 3, last columns unseen', [2, 2], { stride: 3, dilation: 1, padding: none }],
  ['1×1', [1, 1], { stride: 1, dilation: 1, padding: none }],
  ['1×1, stride 2', [1, 1], { stride: 2, dilation: 1, padding: none }],
];
const pools: readonly (readonly [label: string, kernel: readonly [number, number], stride: number, padding: Padding])[] = [
  ['2×2, stride 2', [2, 2], 2, none],
  ['3×3', [3, 3], 1, symmetric(3)],
  ['3×3, stride 2, symmetric', [3, 3], 2, symmetric(3)],
  ['3×3, stride 2, same', [3, 3], 2, same(6, 5, 3, 2)],
  ['3×2, stride 2, last rows padded', [3, 2], 2, [[0, 1], [0, 1]]],
]; // prettier-ignore

/** Grouped: 4 channels in 2 groups, and one channel a group. */
const grouped: readonly (readonly [label: string, groups: number, stride: number])[] = [
  ['2 groups', 2, 1],
  ['2 groups, stride 2', 2, 2],
  ['4 groups', 4, 1],
];
const groupedConvolution: OpCase[] = grouped.map(([label, groups, stride]) => ({
  label: `conv 3×3, ${label}`,
  operands: [any(2, 6, 5, 4), any(3, 3, 4 / groups, 8)],
  build: (x, filter) => b.conv(x, filter, { stride, dilation: 1, padding: symmetric(3), groups }),
}));
const convolution = (op: 'conv' | 'depthwise'): OpCase[] =>
  windows.map(([label, kernel, window]) => ({
    label: `${op} ${label}`,
    operands: [any(2, 6, 5, 2), any(...kernel, 2, op === 'conv' ? 3 : 1)],
    build: (x, filter) => b[op](x, filter, window),
  }));

const batchNorm = (training: boolean): OpCase => {
  const fixedVector = (draw: Draw): Operand => fixed([2], 'float32', draw);
  return {
    label: training ? 'batchNorm in training' : 'batchNorm on running statistics',
    operands: [any(2, 3, 2, 2), any(2), any(2), fixedVector(uniform(-1, 1)), fixedVector(uniform(0.5, 2))],
    build: (...operands) =>
      b.batchNorm(operands as [Value, Value, Value, Value, Value], { training, epsilon: 1e-3, momentum: 0.1 })[0]!,
  };
};

const reductions = (op: 'sum' | 'max'): OpCase[] =>
  [
    { axes: [0, 1, 2], keepDims: false },
    { axes: [1], keepDims: false },
    { axes: [0, 2], keepDims: true },
    { shape: [2, 3, 2, 2], axes: [1, 2], keepDims: true },
    { shape: [2, 3, 2, 2], axes: [1, 2], keepDims: false },
    { shape: [2, 3, 2, 2], axes: [0, 1, 2], keepDims: false },
    { shape: [6, 4], axes: [0], keepDims: false },
  ].map(({ shape = [2, 3, 4], axes, keepDims }) => ({
    label: `${op} over ${axes.join()}${keepDims ? ', kept' : ''}${shape.length === 3 ? '' : ` of ${shape.length} axes`}`,
    operands: [operand(shape, shuffled(24, 5, 0.1))],
    build: (x) => b[op](x, axes, keepDims),
  }));

/** Ops whose result does not vary with their inputs, or that have none: what they compute is tested in test/engine. */
export const withoutGradient = [
  'input', 'param', 'constant', 'assign', 'stopGradient',
  'greater', 'greaterEqual', 'equal', 'sign', 'oneHot', 'topK', 'gather', 'nonMaxSuppression', 'randomUniform',
] as const satisfies readonly Op[]; // prettier-ignore

/** Ops whose values need several sessions: test/train/workers.test.ts. */
export const elsewhere = ['workersMean', 'addToSums'] as const satisfies readonly Op[];

/** Ops that gradients are made of: every one must occur in the gradient of some case. */
export const backward = [
  'convInputGrad', 'convFilterGrad', 'depthwiseInputGrad', 'depthwiseFilterGrad', 'batchNormGrad',
  'maxPoolGrad', 'averagePoolGrad', 'resizeGrad', 'cropAndResizeGrad',
  'reluGrad', 'relu6Grad', 'sigmoidGrad', 'swishGrad', 'hardSwishGrad',
] as const satisfies readonly Op[]; // prettier-ignore

type Differentiable = Exclude<
  Op,
  (typeof elsewhere)[number] | (typeof withoutGradient)[number] | (typeof backward)[number] | ActivationGrad
>;

/** At least one case for every op that has a gradient. */
export const opCases = {
  conv: [...convolution('conv'), ...groupedConvolution],
  depthwise: convolution('depthwise'),
  maxPool: pools.map(([label, kernel, stride, padding]) => ({
    label: `maxPool ${label}`,
    operands: [operand([2, 6, 5, 2], shuffled(120, 7, 0.05, -6))], // all below 0: zeros of the padding would show
    build: (x) => b.maxPool(x, { kernel, stride, padding }),
  })),
  averagePool: pools.map(([label, kernel, stride]) => ({
    label: `averagePool ${label}`,
    operands: [any(2, 6, 5, 2)],
    build: (x) => b.averagePool(x, { kernel, stride }),
  })),
  matMul: [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      label: `matMul${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`,
      operands: [transposeA ? any(4, 2) : any(2, 4), transposeB ? any(3, 4) : any(4, 3)],
      build: (x, y) => b.matMul(x, y, { transposeA, transposeB }),
    })),
  ),
  biasAdd: [
    { label: 'biasAdd to images', operands: [any(2, 2, 2, 3), any(3)], build: (x, bias) => b.biasAdd(x, bias) },
    { label: 'biasAdd to rows', operands: [any(2, 3), any(3)], build: (x, bias) => b.biasAdd(x, bias) },
  ],
  batchNorm: [batchNorm(true), batchNorm(false)],
  globalAveragePool: [
    {
      label: 'globalAveragePool beside its input',
      operands: [any(2, 3, 2, 4)],
      build: (x) => b.mul(b.add(x, 1), b.globalAveragePool(x)),
    },{ label: 'globalAveragePool', operands: [any(2, 3, 4, 2)], build: (x) => b.globalAveragePool(x) }],
  cropAndResize: [
    {
      label: 'cropAndResize, the third window partly outside',
      operands: [
        any(2, 5, 4, 2),
        fixed([4, 4], 'float32', (_, i) => [0.2, 0.3, 3.9, 2.8, 0, 0, 4, 3, -0.5, 1.2, 2.5, 3.6, 1, 2.2, 1.4, 2.3][i]!),
        fixed([4], 'int32', (_, i) => [0, 1, 1, 0][i]!),
      ],
      build: (x, windows, index) => b.cropAndResize(x, windows, index, [3, 4]),
    },
  ],
  resize: (['nearest', 'bilinear'] as const).flatMap((method) =>
    ([[8, 6], [7, 4], [2, 1]] as const).map((size) => ({
      label: `resize ${method} 4×3 to ${size.join('×')}`,
      operands: [any(2, 4, 3, 2)],
      build: (x) => b.resize(x, size, method),
    })),
  ),
  neg: unary('neg', any(5)),
  abs: unary('abs', operand([8], awayFrom([0], -2, 2))),
  square: unary('square', any(5)),
  sqrt: unary('sqrt', positive(5)),
  rsqrt: unary('rsqrt', positive(5)),
  exp: unary('exp', any(5)),
  log: unary('log', positive(5)),
  sigmoid: unary('sigmoid', operand([8], uniform(-4, 4))),
  softplus: unary('softplus', operand([8], uniform(-4, 4))),
  relu: unary('relu', operand([12], awayFrom([0], -2, 2))),
  relu6: unary('relu6', operand([16], awayFrom([0, 6], -4, 10))),
  swish: unary('swish', operand([12], uniform(-4, 4))),
  hardSwish: unary('hardSwish', operand([16], awayFrom([-3, 3], -5, 5))),
  add: binary('add', uniform(-2, 2)),
  sub: binary('sub', uniform(-2, 2)),
  mul: binary('mul', uniform(-2, 2)),
  div: binary('div', awayFrom([0], -2, -1), uniform(-2, 2)),
  maximum: binary('maximum', shuffled(12, 7, 0.2, 0.1), shuffled(12, 5, 0.2)),
  minimum: binary('minimum', shuffled(12, 7, 0.2, 0.1), shuffled(12, 5, 0.2)),
  power: [2.5, 3].map((exponent) => ({
    label: `power ${exponent}`,
    operands: [positive(5)],
    build: (x) => b.power(x, exponent),
  })),
  select: [
    {
      label: 'select',
      operands: [fixed([2, 3], 'bool', (_, i) => i % 2), any(2, 3), any(2, 3)],
      build: (condition, x, y) => b.select(condition, x, y),
    },
  ],
  cast: [
    { label: 'cast', operands: [any(4)], build: (x) => b.addNode(x.node.graph, 'cast', [x], { dtype: 'float32' })[0]! },
  ],
  reshape: [{ label: 'reshape', operands: [any(2, 6)], build: (x) => b.reshape(x, [3, 1, 4]) }],
  transpose: [
    { label: 'transpose of two axes', operands: [any(2, 3)], build: (x) => b.transpose(x, [1, 0]) },
    { label: 'transpose of four axes', operands: [any(2, 3, 1, 4)], build: (x) => b.transpose(x, [2, 0, 3, 1]) },
  ],
  concat: [
    { label: 'concat of rows', operands: [any(2, 3), any(1, 3), any(2, 3)], build: (...parts) => b.concat(parts, 0) },
    { label: 'concat of channels', operands: [any(1, 2, 2, 1), any(1, 2, 2, 3)], build: (...parts) => b.concat(parts, 3) },
  ],
  slice: [{ label: 'slice', operands: [any(3, 4)], build: (x) => b.slice(x, [1, 0], [2, 3]) }],
  pad: [{ label: 'pad', operands: [any(2, 3)], build: (x) => b.pad(x, [[1, 0], [2, 1]]) }],
  broadcastTo: [
    { label: 'broadcastTo, new axes', operands: [any(3)], build: (x) => b.broadcastTo(x, [2, 1, 3]) },
    { label: 'broadcastTo, stretched axes', operands: [any(2, 1, 1, 3)], build: (x) => b.broadcastTo(x, [2, 2, 3, 3]) },
  ],
  sum: reductions('sum'),
  max: reductions('max'),
  softmaxCrossEntropy: [
    {
      label: 'softmaxCrossEntropy',
      operands: [any(4, 5), fixed([4], 'int32', (random) => random.integer(0, 5))],
      build: (logits, classes) => b.softmaxCrossEntropy(logits, classes),
    },
  ],
} satisfies Record<Differentiable, readonly OpCase[]>; // prettier-ignore
