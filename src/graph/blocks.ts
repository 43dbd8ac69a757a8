import { invariant } from '../errors.js';
import * as b from './builder.js';
import { samePadding, symmetricPadding } from './shapes.js';
import type { Graph, Init, Padding, Value } from './spec.js';

/** Conventions that a family of published weights shares. PyTorch's and TensorFlow's paddings differ at stride 2. */
export interface Style {
  readonly padding: 'symmetric' | 'same';
  /** Of the BatchNorms. */
  readonly epsilon: number;
  readonly momentum: number;
}

/** The random parts of a network in training. */
export interface Regulariser {
  /** Drops inputs of the classifier's last layer. */
  readonly dropout: (x: Value) => Value;
  /** Drops the branch [N,H,W,C] that a residual block adds to its shortcut, for some images. */
  readonly dropBranch: (branch: Value) => Value;
}

export interface Context {
  readonly graph: Graph;
  readonly style: Style;
  /** Whether the BatchNorm at this path normalises with the batch's statistics. */
  readonly trainBatchNorm: (path: string) => boolean;
  readonly regulariser?: Regulariser;
}

export type Activation = 'relu' | 'relu6' | 'leakyRelu' | 'swish' | 'hardSwish' | 'sigmoid' | 'hardSigmoid' | 'none';

export interface ConvOptions {
  /** Output channels. */
  readonly channels: number;
  /** Side of the window, or its height and width. */
  readonly kernel?: number | readonly [number, number];
  readonly stride?: number;
  /** Distance between the kernel's taps; the style's padding grows with it. */
  readonly dilation?: number;
  readonly groups?: number;
  /** Default: the style's. */
  readonly padding?: Padding;
  readonly bias?: boolean;
  readonly init?: Init;
  /** Initial value of the bias. */
  readonly biasInit?: number;
}

const zero: Init = { type: 'constant', value: 0 };
const one: Init = { type: 'constant', value: 1 };
const LINEAR: Init = { type: 'normal', std: 0.01 };

/** Computes the style's padding of x for a window of this height and width. */
export function padding(
  x: Value,
  [height, width]: readonly [number, number],
  stride: number,
  { style }: Context,
  dilation = 1,
): Padding {
  if (style.padding === 'symmetric')
    return [symmetricPadding(height, dilation)[0], symmetricPadding(width, dilation)[1]];
  const around = (axis: 1 | 2, kernel: number) => samePadding(x.shape[axis]!, kernel, stride, dilation);
  return [around(1, height), around(2, width)];
}

/** Adds a dense convolution with the parameters `<path>.weight` and, with `bias`, `<path>.bias`. */
export function conv(x: Value, path: string, at: Context, options: ConvOptions): Value {
  const {
    channels,
    kernel = 1,
    stride = 1,
    dilation = 1,
    groups = 1,
    bias = false,
    init = { type: 'kaiming', fan: 'out' },
    biasInit = 0,
  } = options;
  const window = typeof kernel === 'number' ? ([kernel, kernel] as const) : kernel;
  const shape = [...window, x.shape[3]! / groups, channels];
  const filter = b.param(at.graph, { name: `${path}.weight`, role: 'weight', kind: 'conv', shape, init });
  const around = options.padding ?? padding(x, window, stride, at, dilation);
  const y = b.conv(x, filter, { stride, dilation, padding: around, ...(groups > 1 && { groups }) });
  if (!bias) return y;
  const shift: Init = { type: 'constant', value: biasInit };
  return b.biasAdd(
    y,
    b.param(at.graph, { name: `${path}.bias`, role: 'bias', kind: 'vector', shape: [channels], init: shift }),
  );
}

/** Adds a depthwise convolution with the parameter `<path>.weight`. */
export function depthwise(x: Value, path: string, at: Context, { kernel = 3, stride = 1, dilation = 1 } = {}): Value {
  const shape = [kernel, kernel, x.shape[3]!, 1];
  const init: Init = { type: 'kaiming', fan: 'out' };
  const filter = b.param(at.graph, { name: `${path}.weight`, role: 'weight', kind: 'depthwise', shape, init });
  return b.depthwise(x, filter, { stride, dilation, padding: padding(x, [kernel, kernel], stride, at, dilation) });
}

/** Adds a BatchNorm with PyTorch's parameter names under `path`. */
export function batchNorm(x: Value, path: string, { graph, style, trainBatchNorm }: Context): Value {
  const shape = [x.shape[3]!];
  const vector = (name: string, role: 'scale' | 'shift' | 'mean' | 'variance', init: Init): Value =>
    b.param(graph, { name: `${path}.${name}`, role, kind: 'vector', shape, init });
  const parameters = [
    vector('weight', 'scale', one),
    vector('bias', 'shift', zero),
    vector('running_mean', 'mean', zero),
    vector('running_var', 'variance', one),
  ] as const;
  const { epsilon, momentum } = style;
  return b.batchNorm([x, ...parameters], { epsilon, momentum, training: trainBatchNorm(path) })[0]!;
}

export interface GroupNormOptions {
  /** Their number divides the number of channels. */
  readonly groups: number;
  readonly epsilon?: number;
}

/** GroupNorm, composed of other ops: each image's channels, group by group, are brought to mean 0 and variance 1, then
 *  scaled and shifted channel by channel. Wu & He 2018 (arXiv:1803.08494). x [N,H,W,C]; parameters `<path>.weight` and
 *  `<path>.bias`. */
export function groupNorm(x: Value, path: string, { graph }: Context, options: GroupNormOptions): Value {
  const { groups, epsilon = 1e-5 } = options;
  const [n, , , channels] = x.shape as [number, number, number, number];
  const size = channels / groups;
  invariant(Number.isInteger(size), `${channels} channels do not divide into ${groups} groups`);
  const vector = (name: string, role: 'scale' | 'shift', init: Init): Value =>
    b.param(graph, { name: `${path}.${name}`, role, kind: 'vector', shape: [channels], init });
  /** The mean over rows, columns and the channels of each group, for each channel: [N,1,1,C]. */
  const groupMean = (value: Value): Value => {
    const grouped = b.reshape(b.globalAveragePool(value), [n, groups, size]);
    const mean = b.mul(b.sum(grouped, [2], true), 1 / size);
    return b.reshape(b.broadcastTo(mean, [n, groups, size]), [n, 1, 1, channels]);
  };
  const centred = b.sub(x, groupMean(x));
  const scale = b.mul(b.rsqrt(b.add(groupMean(b.square(centred)), epsilon)), vector('weight', 'scale', one));
  return b.add(b.mul(centred, scale), vector('bias', 'shift', zero));
}

/** Slope of `leakyRelu` below 0. */
const LEAK = 0.1;

export function activate(x: Value, activation: Activation): Value {
  if (activation === 'none') return x;
  if (activation === 'hardSigmoid') return b.mul(b.relu6(b.add(x, 3)), 1 / 6);
  if (activation === 'leakyRelu') return b.maximum(x, b.mul(x, LEAK));
  return b[activation](x);
}

/** Adds a BatchNorm under `path` and the activation after it. */
export const normActivate = (x: Value, path: string, at: Context, activation: Activation): Value =>
  activate(batchNorm(x, path, at), activation);

/** Takes the largest value of each window, with the style's padding. */
export const maxPool = (x: Value, at: Context, { kernel, stride }: { kernel: number; stride: number }): Value =>
  b.maxPool(x, { kernel: [kernel, kernel], stride, padding: padding(x, [kernel, kernel], stride, at) });

/** Takes the mean of each window, without padding. */
export const averagePool = (x: Value, { kernel, stride }: { kernel: number; stride: number }): Value =>
  b.averagePool(x, { kernel: [kernel, kernel], stride });

/** Adds a residual block's branch, which may be dropped in training, to its shortcut. */
export const residual = (branch: Value, shortcut: Value, { regulariser }: Context): Value =>
  b.add(regulariser ? regulariser.dropBranch(branch) : branch, shortcut);

/** Adds the last layer, after the dropout: x [N,I] → [N,units], with the parameters `<path>.weight` and `<path>.bias`. */
export function linear(
  x: Value,
  path: string,
  { graph, regulariser }: Context,
  { units }: { readonly units: number },
): Value {
  const shape = [x.shape[1]!, units];
  const weight = b.param(graph, { name: `${path}.weight`, role: 'weight', kind: 'linear', shape, init: LINEAR });
  const bias = b.param(graph, { name: `${path}.bias`, role: 'bias', kind: 'vector', shape: [units], init: zero });
  return b.biasAdd(b.matMul(regulariser ? regulariser.dropout(x) : x, weight), bias);
}
