import type * as Tfjs from '@tensorflow/tfjs-core';
import { FinetuneError } from '../../errors.js';
import { hashSeed } from '../../random.js';
import { sizeOf } from '../../graph/shapes.js';
import type { Binary, Comparison, Node, Op, Unary, Value } from '../../graph/spec.js';
import type { Feed } from '../engine.js';
import { convolve, convolveFilterGrad, convolveInputGrad, type ConvKind } from './conv.js';
import * as crops from './crop.js';
import * as formulas from './formulas.js';
import * as pools from './pool.js';
import * as resizes from './resize.js';

/** What a kernel needs to compute a node. */
export interface Run {
  readonly tf: typeof Tfjs;
  readonly inputs: readonly Tfjs.Tensor[];
  /** The fed, stored or constant tensor of a leaf. The session owns it. */
  readonly leaf: (node: Node) => Tfjs.Tensor;
  /** The array that was fed to the input that gives this value. */
  readonly fed: (value: Value) => Feed;
}

/** Computes a node's outputs with forward kernels of tfjs. Every output is a new tensor, never one of the inputs. */
type Kernel<K extends Op> = (node: Node<K>, run: Run) => readonly Tfjs.Tensor[];
type Tensor4 = Tfjs.Tensor4D;

const read = (node: Node<'input'> | Node<'param'> | Node<'constant'>, { tf, leaf }: Run): Tfjs.Tensor[] => [
  tf.clone(leaf(node as unknown as Node)),
];
const same = (_: Node, { tf, inputs: [x] }: Run): Tfjs.Tensor[] => [tf.clone(x!)];

/** Ops that have the same name in tfjs. */
const unary =
  (op: Exclude<Unary, 'swish' | 'hardSwish'>) =>
  (_: Node, { tf, inputs: [x] }: Run): Tfjs.Tensor[] => [tf[op](x!)];
const binary =
  (op: Binary | Comparison) =>
  (_: Node, { tf, inputs: [a, b] }: Run): Tfjs.Tensor[] => [tf[op](a!, b!)];

const convolution =
  (kind: ConvKind) =>
  ({ attrs }: Node<ConvKind>, { tf, inputs: [x, filter] }: Run): Tfjs.Tensor[] => [
    convolve(tf, kind, x as Tensor4, filter as Tensor4, attrs),
  ];
const inputGrad =
  (kind: ConvKind) =>
  ({ attrs }: Node<`${ConvKind}InputGrad`>, { tf, inputs: [filter, dy] }: Run): Tfjs.Tensor[] => [
    convolveInputGrad(tf, kind, filter as Tensor4, dy as Tensor4, attrs),
  ];
const filterGrad =
  (kind: ConvKind) =>
  ({ attrs }: Node<`${ConvKind}FilterGrad`>, { tf, inputs: [x, dy] }: Run): Tfjs.Tensor[] => [
    convolveFilterGrad(tf, kind, x as Tensor4, dy as Tensor4, attrs),
  ];

function cast({ attrs: { dtype } }: Node<'cast'>, { tf, inputs: [x] }: Run): Tfjs.Tensor[] {
  // wasm casts −1 to the bool 255
  return [dtype === 'bool' ? tf.notEqual(x!, tf.zerosLike(x!)) : tf.cast(x!, dtype)];
}

/** On wasm adding zeros is ten times faster than broadcasting. */
function broadcastTo({ attrs }: Node<'broadcastTo'>, { tf, inputs: [x] }: Run): Tfjs.Tensor[] {
  const shape = [...attrs.shape];
  return [x!.dtype === 'bool' ? tf.broadcastTo(x!, shape) : tf.add(x!, tf.zeros(shape, x!.dtype))];
}

/** On wasm a transposition and a product are ten times faster than a product with transposing flags. */
function matMul({ attrs }: Node<'matMul'>, { tf, inputs: [a, b] }: Run): Tfjs.Tensor[] {
  const { transposeA, transposeB } = attrs;
  return [tf.matMul(transposeA ? tf.transpose(a!) : a!, transposeB ? tf.transpose(b!) : b!)];
}

/** Hashes a counter: the i-th number depends on seed, stream and i alone. It has 24 bits, the precision of float32
 *  below 1. */
function refuseWorkers(): never {
  throw new FinetuneError({ code: 'E_WORKERS_ENGINE', message: 'the engine wasm trains with one worker only' });
}

function randomUniform(
  { attrs: { shape, stream }, inputs: [seed] }: Node<'randomUniform'>,
  { tf, fed }: Run,
): Tfjs.Tensor[] {
  const [low, high] = fed(seed!) as unknown as [number, number];
  const start = hashSeed(low, `${high}/${stream}`);
  const drawn = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let hash = Math.imul(start + Math.imul(i, 0x9e3779b9), 0x85ebca6b); // murmur3's finaliser, between odd constants
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
    return ((hash ^ (hash >>> 15)) >>> 8) / 2 ** 24;
  });
  return [tf.tensor(drawn, [...shape])];
}

export const kernels = {
  input: read, param: read, constant: read,
  conv: convolution('conv'),
  convInputGrad: inputGrad('conv'),
  convFilterGrad: filterGrad('conv'),
  depthwise: convolution('depthwise'),
  depthwiseInputGrad: inputGrad('depthwise'),
  depthwiseFilterGrad: filterGrad('depthwise'),
  matMul,
  biasAdd: (_, { tf, inputs: [x, bias] }) => [tf.add(x!, bias!)],
  batchNorm: ({ attrs }, { tf, inputs }) => formulas.batchNorm(tf, inputs, attrs),
  batchNormGrad: ({ attrs }, { tf, inputs }) => formulas.batchNormGrad(tf, inputs, attrs),
  globalAveragePool: (_, { tf, inputs: [x] }) => [tf.mean(x!, [1, 2], true)],
  maxPool: ({ attrs }, { tf, inputs: [x] }) => [pools.maxPool(tf, x as Tensor4, attrs)],
  maxPoolGrad: ({ attrs }, { tf, inputs }) => [pools.maxPoolGrad(tf, inputs as [Tensor4, Tensor4, Tensor4], attrs)],
  averagePool: ({ attrs }, { tf, inputs: [x] }) => [pools.averagePool(tf, x as Tensor4, attrs)],
  averagePoolGrad: ({ attrs }, { tf, inputs: [dy] }) => [pools.averagePoolGrad(tf, dy as Tensor4, attrs)],
  cropAndResize: ({ attrs }, { tf, inputs }) => [crops.cropAndResize(tf, inputs, attrs)],
  cropAndResizeGrad: ({ attrs }, { tf, inputs }) => [crops.cropAndResizeGrad(tf, inputs, attrs)],
  gather: (_, { tf, inputs: [x, indices] }) => [crops.gather(tf, x!, indices!)],
  nonMaxSuppression: ({ attrs }, { tf, inputs }) => crops.nonMaxSuppression(tf, inputs, attrs),
  resize: ({ attrs }, { tf, inputs: [x] }) => [resizes.resize(tf, x as Tensor4, attrs)],
  resizeGrad: ({ attrs }, { tf, inputs: [dy] }) => [resizes.resizeGrad(tf, dy as Tensor4, attrs)],

  neg: unary('neg'), abs: unary('abs'), sign: unary('sign'), square: unary('square'), sqrt: unary('sqrt'), rsqrt: unary('rsqrt'),
  exp: unary('exp'), log: unary('log'), sigmoid: unary('sigmoid'), softplus: unary('softplus'), relu: unary('relu'), relu6: unary('relu6'),
  swish: (_, { tf, inputs: [x] }) => [tf.mul(x!, tf.sigmoid(x!))],
  hardSwish: (_, { tf, inputs: [x] }) => [tf.mul(tf.mul(x!, 1 / 6), tf.relu6(tf.add(x!, 3)))],
  reluGrad: (_, { tf, inputs: [dy, y] }) => [formulas.reluGrad(tf, dy!, y!)],
  relu6Grad: (_, { tf, inputs: [dy, y] }) => [formulas.relu6Grad(tf, dy!, y!)],
  sigmoidGrad: (_, { tf, inputs: [dy, y] }) => [formulas.sigmoidGrad(tf, dy!, y!)],
  swishGrad: (_, { tf, inputs: [dy, x, y] }) => [formulas.swishGrad(tf, dy!, x!, y!)],
  hardSwishGrad: (_, { tf, inputs: [dy, x] }) => [formulas.hardSwishGrad(tf, dy!, x!)],
  add: binary('add'), sub: binary('sub'), mul: binary('mul'), div: binary('div'), maximum: binary('maximum'), minimum: binary('minimum'),
  greater: binary('greater'), greaterEqual: binary('greaterEqual'), equal: binary('equal'),

  power: ({ attrs }, { tf, inputs: [x] }) => [tf.pow(x!, attrs.exponent)],
  select: (_, { tf, inputs: [condition, a, b] }) => [tf.where(condition!, a!, b!)],
  cast,
  reshape: ({ attrs }, { tf, inputs: [x] }) => [tf.reshape(x!, [...attrs.shape])],
  transpose: ({ attrs }, { tf, inputs: [x] }) => [tf.transpose(x!, [...attrs.permutation])],
  concat: ({ attrs }, { tf, inputs }) => [tf.concat([...inputs], attrs.axis)],
  slice: ({ attrs }, { tf, inputs: [x] }) => [tf.slice(x!, [...attrs.begin], [...attrs.size])],
  pad: ({ attrs }, { tf, inputs: [x] }) => [tf.pad(x!, attrs.paddings.map(([before, after]): [number, number] => [before, after]))],
  broadcastTo,
  sum: ({ attrs }, { tf, inputs: [x] }) => [tf.sum(x!, [...attrs.axes], attrs.keepDims)],
  max: ({ attrs }, { tf, inputs: [x] }) => [tf.max(x!, [...attrs.axes], attrs.keepDims)],
  oneHot: ({ attrs }, { tf, inputs: [x] }) => [formulas.oneHot(tf, x!, attrs.depth)],
  topK: ({ attrs }, { tf, inputs: [x] }) => {
    const { values, indices } = tf.topk(x!, attrs.k, true);
    return [values, indices];
  },
  softmaxCrossEntropy: (_, { tf, inputs }) => formulas.softmaxCrossEntropy(tf, inputs),
  stopGradient: same,
  randomUniform,
  workersMean: refuseWorkers,
  addToSums: refuseWorkers,
  assign: same,
} satisfies { [K in Op]: Kernel<K> }; // prettier-ignore
