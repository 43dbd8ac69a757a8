import { isOp } from '../graph/builder.js';
import { samePadding } from '../graph/shapes.js';
import type {
  Binary,
  Comparison,
  Convolution,
  Interpolation,
  Node,
  Op,
  Padding,
  Pool,
  Shape,
  Value,
  Window,
} from '../graph/spec.js';
import { DT, type Attr, type GraphDef } from './graphDef.js';
import { tfBoxes } from './tfBoxes.js';
import {
  NHWC,
  normalised,
  op1,
  op2,
  padBy,
  reshapeTo,
  sliceOf,
  T,
  typed,
  type Emission,
  type Rule,
} from './tfEmission.js';

/** Adds `op` over the node's own inputs with its one output. */
const direct =
  (op: string) =>
  (node: Node, { def, inputs }: Emission): string[] => [def.add(op, inputs, typed(node.inputs.at(-1)!))];

const reversed =
  (op: string) =>
  (_: Node, { def, inputs }: Emission): string[] => [def.add(op, [...inputs].reverse(), T)];

function paddingAttrs(
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

function windowAttrs(window: Window, image: readonly number[], filter: readonly number[]): Record<string, Attr> {
  const { stride, dilation, padding } = window;
  return {
    ...T,
    strides: { ints: [1, stride, stride, 1] },
    dilations: { ints: [1, dilation, dilation, 1] },
    data_format: NHWC,
    ...paddingAttrs(padding, image, filter, window),
  };
}

/** A convolution of single pixels is a product of matrices, which oneDNN computes faster than the convolution: on AVX2 the filter's gradient in
 *  0.7 of the time, the image's in 0.9. */
const isPointwise = ({ stride, padding, groups = 1 }: Convolution, [kh, kw]: Shape): boolean =>
  kh === 1 && kw === 1 && stride === 1 && groups === 1 && padding.flat().every((rows) => rows === 0);
const rowsOf = (def: GraphDef, x: string, shape: Shape): string => reshapeTo(def, x, [-1, shape.at(-1)!]);
const product = (def: GraphDef, a: string, b: string, { transposeA = false, transposeB = false } = {}): string =>
  def.add('MatMul', [a, b], { ...T, transpose_a: { bool: transposeA }, transpose_b: { bool: transposeB } });

const convolution =
  (op: string) =>
  (node: Node<'conv'> | Node<'depthwise'>, { def, inputs }: Emission): string[] => [
    def.add(op, inputs, windowAttrs(node.attrs, node.inputs[0]!.shape, node.inputs[1]!.shape)),
  ];
const valid: Padding = [[0, 0], [0, 0]]; // prettier-ignore
/** oneDNN differentiates dilated and grouped convolutions with VALID and SAME padding, and nothing on the CPU those with EXPLICIT:
 *  they are padded by hand. The groups need no attribute: TensorFlow counts them by the filter's channels. */
const padsByHand = (window: Convolution, image: Shape, filter: Shape): boolean =>
  (window.dilation > 1 || (window.groups ?? 1) > 1) &&
  'explicit_paddings' in paddingAttrs(window.padding, image, filter, window);

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

/** Whether TensorFlow may fuse a convolution with what reads it. A BatchNorm in training mode is never fused, nor is its gradient. */
const isFusible = ({ graph, outputs: [y] }: Node): boolean =>
  graph.nodes.some(
    (reader) =>
      reader.inputs.includes(y!) &&
      !(isOp(reader, 'batchNorm') && reader.attrs.training) &&
      !isOp(reader, 'batchNormGrad'),
  );

/** Fusing a depthwise convolution, TensorFlow loses its EXPLICIT padding on the way and aborts: where it may fuse, the zeros are put around
 *  the image by hand. */
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

const convInputGrad: Rule<'convInputGrad'> = (
  { attrs, inputs: [weights, gradient] },
  { def, inputs: [filter, dy] },
) => {
  const { inputShape, padding } = attrs;
  if (isPointwise(attrs, weights!.shape)) {
    const matrix = reshapeTo(def, filter!, weights!.shape.slice(2));
    return [reshapeTo(def, product(def, rowsOf(def, dy!, gradient!.shape), matrix, { transposeB: true }), inputShape)];
  }
  const byHand = padsByHand(attrs, inputShape, weights!.shape);
  const [n, h, w, c] = inputShape as [number, number, number, number];
  const [[top, bottom], [left, right]] = padding;
  const shape = byHand ? [n, h + top + bottom, w + left + right, c] : inputShape;
  const window = byHand ? { ...attrs, padding: valid } : attrs;
  const dx = def.add(
    'Conv2DBackpropInput',
    [def.ints(shape), filter!, dy!],
    windowAttrs(window, shape, weights!.shape),
  );
  return [byHand ? sliceOf(def, dx, [0, top, left, 0], inputShape) : dx];
};
const convFilterGrad: Rule<'convFilterGrad'> = ({ attrs, inputs: [image, gradient] }, { def, inputs: [x, dy] }) => {
  const { filterShape, padding } = attrs;
  if (isPointwise(attrs, filterShape)) {
    const [pixels, change] = [rowsOf(def, x!, image!.shape), rowsOf(def, dy!, gradient!.shape)];
    return [reshapeTo(def, product(def, pixels, change, { transposeA: true }), filterShape)];
  }
  const byHand = padsByHand(attrs, image!.shape, filterShape);
  const padded = byHand ? padBy(def, x!, [[0, 0], ...padding, [0, 0]]) : x!;
  const window = byHand ? { ...attrs, padding: valid } : attrs;
  return [
    def.add(
      'Conv2DBackpropFilter',
      [padded, def.ints(filterShape), dy!],
      windowAttrs(window, image!.shape, filterShape),
    ),
  ];
};

/** A depthwise filter with its dilation's zeros written out. TensorFlow's depthwise gradients ignore the dilation: it is done to the filter. */
const dilatedShape = ([kh, kw, c]: Shape, dilation: number): Shape => [
  (kh! - 1) * dilation + 1,
  (kw! - 1) * dilation + 1,
  c!,
  1,
];
function dilate(def: GraphDef, filter: string, shape: Shape, d: number): string {
  if (d === 1) return filter;
  const [kh, kw, c] = shape as [number, number, number];
  const spread = padBy(def, reshapeTo(def, filter, [kh, 1, kw, c]), [[0, 0], [0, d - 1], [0, 0], [0, (d - 1) * c]]); // prettier-ignore
  return sliceOf(def, reshapeTo(def, spread, [kh * d, kw * d, c, 1]), [0, 0, 0, 0], dilatedShape(shape, d));
}
/** The transpose of `dilate`. */
function contract(def: GraphDef, dilated: string, shape: Shape, d: number): string {
  if (d === 1) return dilated;
  const [kh, kw, c] = shape as [number, number, number];
  const full = padBy(def, dilated, [[0, d - 1], [0, d - 1], [0, 0], [0, 0]]); // prettier-ignore
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

const reduction =
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

/** Sum takes its time with rows and columns (the gradient of a squeeze-excite's gate) and with all but the channels (that of a bias). */
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

/** An op whose second input is a vector of int32. */
const withInts = (
  op: string,
  node: Node,
  { def, inputs }: Emission,
  ints: readonly number[],
  index: string,
): string[] => [def.add(op, [inputs[0]!, def.ints(ints)], { ...typed(node.inputs[0]!), [index]: { type: DT.int32 } })];

const outputs = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}:${i}`);
const binaries = {
  add: direct('AddV2'), sub: direct('Sub'), mul: direct('Mul'), div: direct('RealDiv'), maximum: direct('Maximum'), minimum: direct('Minimum'),
  greater: direct('Greater'), greaterEqual: direct('GreaterEqual'), equal: direct('Equal'),
} satisfies Record<Binary | Comparison, Rule<Op>>; // prettier-ignore

export const tfOps = {
  ...binaries,
  input: ({ attrs }, { def, inputName }) => [
    def.add('Placeholder', [], { dtype: { type: DT[attrs.dtype] }, shape: { shape: attrs.shape } }, { name: inputName(attrs.name) }),
  ],
  param: ({ attrs: { name, shape } }, { def, handle, constants, constantName }) => {
    const fixed = constants.get(name);
    const dtype = { type: DT.float32 };
    if (!fixed) return [def.add('ReadVariableOp', [handle(name)], { dtype })];
    const value = { tensor: { dtype: 'float32' as const, shape, values: fixed.data } };
    return [def.add('Const', [], { dtype, value }, { name: constantName(name) })];
  },
  constant: ({ attrs }, { def }) => [def.add('Const', [], { dtype: { type: DT[attrs.dtype] }, value: { tensor: attrs } })],
  conv: convolution('Conv2D'),
  convInputGrad,
  convFilterGrad,
  depthwise,
  depthwiseInputGrad,
  depthwiseFilterGrad,
  matMul: ({ attrs }, { def, inputs: [a, b] }) => [product(def, a!, b!, attrs)],
  biasAdd: (_, { def, inputs }) => [def.add('BiasAdd', inputs, { ...T, data_format: NHWC })],
  batchNorm: ({ attrs: { training, epsilon } }, { def, inputs }) => {
    const [x, scale, shift, mean, variance] = inputs as [string, string, string, string, string];
    if (!training) return [normalised(def, { x, scale, shift, mean, variance }, epsilon), mean, variance, mean, variance, mean];
    const empty = def.add('Cast', [def.ints([])], { SrcT: { type: DT.int32 }, DstT: { type: DT.float32 } });
    const attrs = { ...T, U: { type: DT.float32 }, epsilon: { float: epsilon }, data_format: NHWC, is_training: { bool: true } };
    return outputs(def.add('FusedBatchNormV3', [x, scale, shift, empty, empty], attrs), 6);
  },
  batchNormGrad: ({ attrs: { training, epsilon } }, { def, inputs }) => {
    const attrs = { ...T, U: { type: DT.float32 }, epsilon: { float: epsilon }, data_format: NHWC, is_training: { bool: training } };
    return outputs(def.add('FusedBatchNormGradV3', inputs, attrs), 3);
  },
  // A full-window AvgPool runs three times as fast as Mean.
  globalAveragePool: (node, { def, inputs }) => [averageOver(def, inputs[0]!, node.inputs[0]!.shape)],
  maxPool: pool('MaxPool'),
  maxPoolGrad: (node, { def, inputs: [dy, x, y] }) => [def.add('MaxPoolGrad', [x!, y!, dy!], poolAttrs(node.attrs, node.inputs[1]!.shape))],
  averagePool: pool('AvgPool'),
  averagePoolGrad: ({ attrs }, { def, inputs }) => [
    def.add('AvgPoolGrad', [def.ints(attrs.inputShape), inputs[0]!], poolAttrs(attrs, attrs.inputShape)),
  ],
  ...tfBoxes,
  resize: ({ attrs: { method, size } }, { def, inputs }) => [
    def.add(RESIZE[method], [inputs[0]!, def.ints(size)], { ...T, ...centres(method) }),
  ],
  // The bilinear one wants the resized image itself, to see its size: zeros of that size, a constant for TensorFlow.
  resizeGrad: ({ attrs: { method, inputShape } }, { def, inputs }) => {
    const [, h, w] = inputShape as [number, number, number];
    const seen = method === 'nearest' ? def.ints([h, w]) : def.add('Fill', [def.ints(inputShape), def.float(0)], { ...T, index_type: { type: DT.int32 } });
    return [def.add(`${RESIZE[method]}Grad`, [inputs[0]!, seen], { ...T, ...centres(method) })];
  },
  neg: direct('Neg'), abs: direct('Abs'), sign: direct('Sign'), square: direct('Square'), sqrt: direct('Sqrt'), rsqrt: direct('Rsqrt'),
  exp: direct('Exp'), log: direct('Log'), sigmoid: direct('Sigmoid'), softplus: direct('Softplus'), relu: direct('Relu'), relu6: direct('Relu6'),
  // Mul(Sigmoid(x), x), in this order, is what oneDNN's remapper recognises as one fused swish.
  swish: (_, { def, inputs: [x] }) => [op2(def, 'Mul', op1(def, 'Sigmoid', x!), x!)],
  hardSwish: (_, { def, inputs: [x] }) => {
    const gate = op1(def, 'Relu6', op2(def, 'AddV2', x!, def.float(3)));
    return [op2(def, 'Mul', op2(def, 'Mul', x!, def.float(1 / 6)), gate)];
  },
  reluGrad: direct('ReluGrad'),
  relu6Grad: direct('Relu6Grad'),
  sigmoidGrad: reversed('SigmoidGrad'),
  // SoftplusGrad(dy, x) = dy·σ(x), and σ(x)(1 + x − y) is swish's derivative: nothing but x and y is kept.
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
    const axis = def.add('Const', [], { dtype: { type: DT.int32 }, value: { tensor: { dtype: 'int32', shape: [], values: [node.attrs.axis] } } });
    return [def.add('ConcatV2', [...inputs, axis], { ...typed(node.inputs[0]!), N: { int: inputs.length }, Tidx: { type: DT.int32 } })];
  },
  slice: (node, { def, inputs }) => [
    def.add('Slice', [inputs[0]!, def.ints(node.attrs.begin), def.ints(node.attrs.size)], { ...typed(node.inputs[0]!), Index: { type: DT.int32 } }),
  ],
  pad: (node, { def, inputs }) => {
    const values = node.attrs.paddings.flat();
    const paddings = def.add('Const', [], {
      dtype: { type: DT.int32 },
      value: { tensor: { dtype: 'int32', shape: [node.attrs.paddings.length, 2], values } },
    });
    return [def.add('Pad', [inputs[0]!, paddings], { ...typed(node.inputs[0]!), Tpaddings: { type: DT.int32 } })];
  },
  sum,
  max: reduction('Max'),
  oneHot: (node, { def, inputs }) => {
    const depth = def.add('Const', [], { dtype: { type: DT.int32 }, value: { tensor: { dtype: 'int32', shape: [], values: [node.attrs.depth] } } });
    return [def.add('OneHot', [inputs[0]!, depth, def.float(1), def.float(0)], { ...T, TI: { type: DT.int32 }, axis: { int: -1 } })];
  },
  topK: (node, { def, inputs }) => {
    const k = def.add('Const', [], { dtype: { type: DT.int32 }, value: { tensor: { dtype: 'int32', shape: [], values: [node.attrs.k] } } });
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
  assign: ({ attrs }, { def, inputs, allRead, handle }) => [
    def.add('AssignVariableOp', [handle(attrs.name), inputs[0]!], { dtype: { type: DT.float32 }, validate_shape: { bool: false } }, { control: [allRead] }),
  ],
} satisfies { [K in Op]: Rule<K> }; // prettier-ignore
