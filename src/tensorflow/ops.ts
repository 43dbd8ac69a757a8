import type { Binary, Comparison, Interpolation, Node, Op, Padding, Pool, Shape } from '../graph/spec.js';
import { DT, type Attr, type GraphDef } from './graphDef.js';
import { tfBoxes } from './boxes.js';
import { tfConv, paddingAttrs, valid } from './convolutions.js';
import {
  intScalar,
  NHWC,
  normalised,
  op1,
  op2,
  paddingsOf,
  product,
  reshapeTo,
  T,
  typed,
  type Emission,
  type Rule,
} from './emission.js';

/** The rule of an op that TensorFlow has with the same inputs and one output. */
const direct =
  (op: string) =>
  (node: Node, { def, inputs }: Emission): string[] => [def.add(op, inputs, typed(node.inputs.at(-1)!))];

/** The attribute marks the node as already rewritten. Otherwise TensorFlow's optimizer turns a chain of sums into one AddN. In a step
 *  that needs more than 200 MB, AddN adds its terms in the order in which they arrive, so that two runs differ in the last bits (the
 *  norm of all gradients did). */
const add = (node: Node, { def, inputs }: Emission): string[] => [
  def.add('AddV2', inputs, {
    ...typed(node.outputs[0]!),
    _grappler_ArithmeticOptimizer_AddOpsRewriteStage: { bool: true },
  }),
];

const reversed =
  (op: string) =>
  (_: Node, { def, inputs }: Emission): string[] => [def.add(op, [...inputs].reverse(), T)];

function poolAttrs(
  { kernel, stride, padding = valid }: Pool & { readonly padding?: Padding },
  image: Shape,
): Record<string, Attr> {
  return {
    ...T,
    ksize: { ints: [1, ...kernel, 1] },
    strides: { ints: [1, stride, stride, 1] },
    data_format: NHWC,
    ...paddingAttrs(padding, image, kernel, { stride, padding, dilation: 1 }),
  };
}
const pool =
  (op: string) =>
  (node: Node<'maxPool'> | Node<'averagePool'>, { def, inputs }: Emission): string[] => [
    def.add(op, inputs, poolAttrs(node.attrs, node.inputs[0]!.shape)),
  ];

const RESIZE = { nearest: 'ResizeNearestNeighbor', bilinear: 'ResizeBilinear' } as const;
const centres = (method: Interpolation): Record<string, Attr> => ({
  half_pixel_centers: { bool: method === 'bilinear' },
});

export const reduction =
  (op: string) =>
  (node: Node<'sum'> | Node<'max'>, { def, inputs }: Emission): string[] => [
    def.add(op, [inputs[0]!, def.ints(node.attrs.axes)], {
      ...typed(node.inputs[0]!),
      keep_dims: { bool: node.attrs.keepDims },
    }),
  ];

const averageOver = (def: GraphDef, x: string, [, h, w]: Shape): string => {
  const window = { ksize: { ints: [1, h!, w!, 1] }, strides: { ints: [1, 1, 1, 1] }, padding: { string: 'VALID' } };
  return def.add('AvgPool', [x], { ...T, ...window, data_format: NHWC });
};

/** TensorFlow's Sum is slow over rows and columns (the gradient of a squeeze-excite's gate) and over all axes but the channels (the
 *  gradient of a bias): AvgPool and BiasAddGrad compute these sums. */
const sum: Rule<'sum'> = (node, at) => {
  const { axes, keepDims } = node.attrs;
  const { shape, dtype } = node.inputs[0]!;
  const { def } = at;
  const [x] = at.inputs as [string];
  const over = (...wanted: number[]): boolean => dtype === 'float32' && wanted.join() === axes.join();
  if (shape.length === 4 && over(1, 2)) {
    const total = op2(def, 'Mul', averageOver(def, x, shape), def.float(shape[1]! * shape[2]!));
    return [keepDims ? total : reshapeTo(def, total, node.outputs[0]!.shape)];
  }
  if (shape.length > 1 && !keepDims && over(...shape.slice(1).keys())) {
    return [def.add('BiasAddGrad', [x], { ...T, data_format: NHWC })];
  }
  return reduction('Sum')(node, at);
};

/** Writes an op whose second input is a vector of int32. */
const withInts = (
  op: string,
  node: Node,
  { def, inputs }: Emission,
  ints: readonly number[],
  index: string,
): string[] => [def.add(op, [inputs[0]!, def.ints(ints)], { ...typed(node.inputs[0]!), [index]: { type: DT.int32 } })];

const outputs = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}:${i}`);
const binaries = {
  add,
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('RealDiv'),
  maximum: direct('Maximum'),
  minimum: direct('Minimum'),
  greater: direct('Greater'),
  greaterEqual: direct('GreaterEqual'),
  equal: direct('Equal'),
} satisfies Record<Binary | Comparison, Rule<Op>>;

export const tfOps = {
  ...binaries,
  input: ({ attrs }, { def, inputName }) => [
    def.add(
      'Placeholder',
      [],
      { dtype: { type: DT[attrs.dtype] }, shape: { shape: attrs.shape } },
      { name: inputName(attrs.name) },
    ),
  ],
  param: ({ attrs: { name, shape } }, { def, handle, constants, constantName }) => {
    const fixed = constants.get(name);
    const dtype = { type: DT.float32 };
    if (!fixed) return [def.add('ReadVariableOp', [handle(name)], { dtype })];
    const value = { tensor: { dtype: 'float32' as const, shape, values: fixed.data } };
    return [def.add('Const', [], { dtype, value }, { name: constantName(name) })];
  },
  constant: ({ attrs }, { def }) => [
    def.add('Const', [], { dtype: { type: DT[attrs.dtype] }, value: { tensor: attrs } }),
  ],
  ...tfConv,
  matMul: ({ attrs }, { def, inputs: [a, b] }) => [product(def, a!, b!, attrs)],
  biasAdd: (_, { def, inputs }) => [def.add('BiasAdd', inputs, { ...T, data_format: NHWC })],
  batchNorm: ({ attrs: { training, epsilon } }, { def, inputs }) => {
    const [x, scale, shift, mean, variance] = inputs as [string, string, string, string, string];
    if (!training)
      return [normalised(def, { x, scale, shift, mean, variance }, epsilon), mean, variance, mean, variance, mean];
    const empty = def.add('Cast', [def.ints([])], { SrcT: { type: DT.int32 }, DstT: { type: DT.float32 } });
    const attrs = {
      ...T,
      U: { type: DT.float32 },
      epsilon: { float: epsilon },
      data_format: NHWC,
      is_training: { bool: true },
    };
    return outputs(def.add('FusedBatchNormV3', [x, scale, shift, empty, empty], attrs), 6);
  },
  batchNormGrad: ({ attrs: { training, epsilon } }, { def, inputs }) => {
    const attrs = {
      ...T,
      U: { type: DT.float32 },
      epsilon: { float: epsilon },
      data_format: NHWC,
      is_training: { bool: training },
    };
    return outputs(def.add('FusedBatchNormGradV3', inputs, attrs), 3);
  },
  // A full-window AvgPool runs three times as fast as Mean.
  globalAveragePool: (node, { def, inputs }) => [averageOver(def, inputs[0]!, node.inputs[0]!.shape)],
  maxPool: pool('MaxPool'),
  maxPoolGrad: (node, { def, inputs: [dy, x, y] }) => [
    def.add('MaxPoolGrad', [x!, y!, dy!], poolAttrs(node.attrs, node.inputs[1]!.shape)),
  ],
  averagePool: pool('AvgPool'),
  averagePoolGrad: ({ attrs }, { def, inputs }) => [
    def.add('AvgPoolGrad', [def.ints(attrs.inputShape), inputs[0]!], poolAttrs(attrs, attrs.inputShape)),
  ],
  ...tfBoxes,
  resize: ({ attrs: { method, size } }, { def, inputs }) => [
    def.add(RESIZE[method], [inputs[0]!, def.ints(size)], { ...T, ...centres(method) }),
  ],
  // The bilinear gradient takes the original image to learn its size. Zeros stand in for it, which TensorFlow folds into a constant.
  resizeGrad: ({ attrs: { method, inputShape } }, { def, inputs }) => {
    const [, h, w] = inputShape as [number, number, number];
    const seen =
      method === 'nearest'
        ? def.ints([h, w])
        : def.add('Fill', [def.ints(inputShape), def.float(0)], { ...T, index_type: { type: DT.int32 } });
    return [def.add(`${RESIZE[method]}Grad`, [inputs[0]!, seen], { ...T, ...centres(method) })];
  },
  neg: direct('Neg'),
  abs: direct('Abs'),
  sign: direct('Sign'),
  square: direct('Square'),
  sqrt: direct('Sqrt'),
  rsqrt: direct('Rsqrt'),
  exp: direct('Exp'),
  log: direct('Log'),
  sigmoid: direct('Sigmoid'),
  softplus: direct('Softplus'),
  relu: direct('Relu'),
  relu6: direct('Relu6'),
  // oneDNN's remapper recognises Mul(Sigmoid(x), x), in this order, as one fused swish.
  swish: (_, { def, inputs: [x] }) => [op2(def, 'Mul', op1(def, 'Sigmoid', x!), x!)],
  hardSwish: (_, { def, inputs: [x] }) => {
    const gate = op1(def, 'Relu6', op2(def, 'AddV2', x!, def.float(3)));
    return [op2(def, 'Mul', op2(def, 'Mul', x!, def.float(1 / 6)), gate)];
  },
  reluGrad: direct('ReluGrad'),
  relu6Grad: direct('Relu6Grad'),
  sigmoidGrad: reversed('SigmoidGrad'),
  // SoftplusGrad(dy, x) = dy·σ(x), and σ(x)(1 + x − y) is swish's derivative: only x and y are kept.
  swishGrad: (_, { def, inputs: [dy, x, y] }) => [
    op2(def, 'Mul', op2(def, 'SoftplusGrad', dy!, x!), op2(def, 'AddV2', op2(def, 'Sub', x!, y!), def.float(1))),
  ],
  hardSwishGrad: (_, { def, inputs: [dy, x] }) => {
    const gate = op1(def, 'Relu6', op2(def, 'AddV2', x!, def.float(3)));
    const slope = op2(def, 'AddV2', gate, op2(def, 'Relu6Grad', x!, gate));
    return [op2(def, 'Mul', op2(def, 'Mul', dy!, def.float(1 / 6)), slope)];
  },
  power: ({ attrs }, { def, inputs }) => [op2(def, 'Pow', inputs[0]!, def.float(attrs.exponent))],
  select: direct('SelectV2'),
  cast: (node, { def, inputs }) => {
    const attrs = { SrcT: { type: DT[node.inputs[0]!.dtype] }, DstT: { type: DT[node.attrs.dtype] } };
    return [def.add('Cast', inputs, attrs)];
  },
  reshape: (node, at) => withInts('Reshape', node, at, node.attrs.shape, 'Tshape'),
  transpose: (node, at) => withInts('Transpose', node, at, node.attrs.permutation, 'Tperm'),
  broadcastTo: (node, at) => withInts('BroadcastTo', node, at, node.attrs.shape, 'Tidx'),
  concat: (node, { def, inputs }) => {
    const axis = intScalar(def, node.attrs.axis);
    return [
      def.add('ConcatV2', [...inputs, axis], {
        ...typed(node.inputs[0]!),
        N: { int: inputs.length },
        Tidx: { type: DT.int32 },
      }),
    ];
  },
  slice: (node, { def, inputs }) => [
    def.add('Slice', [inputs[0]!, def.ints(node.attrs.begin), def.ints(node.attrs.size)], {
      ...typed(node.inputs[0]!),
      Index: { type: DT.int32 },
    }),
  ],
  pad: (node, { def, inputs }) => {
    const paddings = paddingsOf(def, node.attrs.paddings);
    return [def.add('Pad', [inputs[0]!, paddings], { ...typed(node.inputs[0]!), Tpaddings: { type: DT.int32 } })];
  },
  sum,
  max: reduction('Max'),
  oneHot: (node, { def, inputs }) => {
    const depth = intScalar(def, node.attrs.depth);
    return [
      def.add('OneHot', [inputs[0]!, depth, def.float(1), def.float(0)], {
        ...T,
        TI: { type: DT.int32 },
        axis: { int: -1 },
      }),
    ];
  },
  topK: (node, { def, inputs }) => {
    const k = intScalar(def, node.attrs.k);
    return outputs(def.add('TopKV2', [inputs[0]!, k], { ...T, sorted: { bool: true } }), 2);
  },
  softmaxCrossEntropy: (_, { def, inputs }) =>
    outputs(def.add('SparseSoftmaxCrossEntropyWithLogits', inputs, { ...T, Tlabels: { type: DT.int32 } }), 2),
  stopGradient: direct('Identity'),
  randomUniform: ({ attrs: { shape, stream } }, { def, inputs: [seed] }) => {
    const own = def.add('AddV2', [seed!, def.ints([0, stream])], { T: { type: DT.int32 } });
    const attrs = { dtype: { type: DT.float32 }, T: { type: DT.int32 }, Tseed: { type: DT.int32 } };
    return [def.add('StatelessRandomUniform', [def.ints(shape), own], attrs)];
  },
  // No edge leads from the values to their means: the session fetches the ones and feeds the others (program.ts).
  workersMean: (node, { def, inputs, meansName }) =>
    inputs.map((x, i) => {
      const { ofWorker, mean } = meansName(node.id, i);
      const dtype = { type: DT.float32 };
      def.add('Identity', [x], T, { name: ofWorker });
      return def.add('Placeholder', [], { dtype, shape: { shape: node.inputs[i]!.shape } }, { name: mean });
    }),
  addToSums: (node, { def, inputs, meansName }) => {
    for (const [i, x] of inputs.entries()) def.add('Identity', [x], T, { name: meansName(node.id, i).ofWorker });
    return [def.float(0)];
  },
  assign: ({ attrs }, { def, inputs, allRead, handle }) => [
    def.add(
      'AssignVariableOp',
      [handle(attrs.name), inputs[0]!],
      { dtype: { type: DT.float32 }, validate_shape: { bool: false } },
      { control: [allRead] },
    ),
  ],
} satisfies { [K in Op]: Rule<K> };
