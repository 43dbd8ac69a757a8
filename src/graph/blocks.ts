import * as b from './builder.js';
import { samePadding, symmetricPadding } from './shapes.js';
import type { Graph, Init, Padding, Value } from './spec.js';

/** What a family of published weights agrees on. PyTorch's and TensorFlow's paddings differ at stride 2. */
export interface Style {
  readonly padding: 'symmetric' | 'same';
  readonly epsilon: number;
  readonly momentum: number;
}

export interface Context {
  readonly graph: Graph;
  readonly style: Style;
  /** Whether the BatchNorm at this path uses the batch's statistics. */
  readonly trainBatchNorm: (path: string) => boolean;
}

export type Activation = 'relu' | 'relu6' | 'swish' | 'hardSwish' | 'none';

export interface ConvOptions {
  /** Output channels. */
  readonly channels: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly bias?: boolean;
  readonly init?: Init;
  /** Initial value of the bias. */
  readonly biasInit?: number;
}

const zero: Init = { type: 'constant', value: 0 };
const one: Init = { type: 'constant', value: 1 };

function padding(x: Value, kernel: number, stride: number, { style }: Context): Padding {
  if (style.padding === 'symmetric') return symmetricPadding(kernel);
  return [samePadding(x.shape[1]!, kernel, stride), samePadding(x.shape[2]!, kernel, stride)];
}

/** Dense convolution with the parameters `<path>.weight` and, with `bias`, `<path>.bias`. */
export function conv(x: Value, path: string, at: Context, options: ConvOptions): Value {
  const {
    channels,
    kernel = 1,
    stride = 1,
    bias = false,
    init = { type: 'kaiming', fan: 'out' },
    biasInit = 0,
  } = options;
  const shape = [kernel, kernel, x.shape[3]!, channels];
  const filter = b.param(at.graph, { name: `${path}.weight`, role: 'weight', kind: 'conv', shape, init });
  const y = b.conv(x, filter, { stride, dilation: 1, padding: padding(x, kernel, stride, at) });
  if (!bias) return y;
  const shift: Init = { type: 'constant', value: biasInit };
  return b.biasAdd(
    y,
    b.param(at.graph, { name: `${path}.bias`, role: 'bias', kind: 'vector', shape: [channels], init: shift }),
  );
}

/** Depthwise convolution with the parameter `<path>.weight`. */
export function depthwise(x: Value, path: string, at: Context, { kernel = 3, stride = 1 } = {}): Value {
  const shape = [kernel, kernel, x.shape[3]!, 1];
  const init: Init = { type: 'kaiming', fan: 'out' };
  const filter = b.param(at.graph, { name: `${path}.weight`, role: 'weight', kind: 'depthwise', shape, init });
  return b.depthwise(x, filter, { stride, dilation: 1, padding: padding(x, kernel, stride, at) });
}

/** BatchNorm with PyTorch's parameter names under `path`. */
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

export const activate = (x: Value, activation: Activation): Value => (activation === 'none' ? x : b[activation](x));
