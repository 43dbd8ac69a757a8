import {
  activate,
  batchNorm,
  conv,
  normActivate,
  residual,
  type Activation,
  type Context,
} from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { divisible } from './divisible.js';
import { mixDepthwise, mixPointwise, type Kernels } from './mixConv.js';
import { squeezeExcite } from './squeezeExcite.js';

export interface RowOptions {
  /** Side of the depthwise kernel (default: 3), or several sides for MixConv. For `cn`: side of the convolution
   *  (default: 1). */
  readonly kernel?: Kernels;
  /** Ratio of squeeze-excite: its hidden channels as a share of the block's input or of the expanded channels
   *  (`SqueezeExciteRule.of`). Default: no squeeze-excite. */
  readonly se?: number;
  /** Replaces the activation of the network. */
  readonly activation?: Activation;
  /** Number of 1×1 convolutions side by side in the expansion and in the projection (default: 1). */
  readonly expandGroups?: number;
  readonly projectGroups?: number;
  /** False: the block has no shortcut, even where the shapes allow one. */
  readonly skip?: false;
}

/** What a block returns: its output and, if it has an expansion before the stride, the expanded map. */
export interface BlockOutput {
  readonly y: Value;
  readonly expanded?: Value;
}

/** Builds a block that only one family has. The parameters are called `<path>.…`; of the row it reads expansion,
 *  channels and stride. */
export type OwnBlock = (x: Value, path: string, at: Context, row: Row, defaults: BlockDefaults) => BlockOutput;

/** One row of a table of the MobileNet family: a stage, or a part of one. Blocks: `ds` depthwise, then a linear 1×1 (no
 *  expansion); `dsa` the same with an activation after the 1×1 and without the shortcut; `ir` inverted residual: 1×1
 *  expansion, depthwise, linear 1×1; `cn` convolution; a function builds a block that only one family has. */
export type Row = readonly [
  block: 'ds' | 'dsa' | 'ir' | 'cn' | OwnBlock,
  expansion: number,
  channels: number,
  repeats: number,
  stride: number,
  options?: RowOptions,
];

/** How a network builds its squeeze-excites. */
export interface SqueezeExciteRule {
  readonly of: 'input' | 'expanded';
  readonly gate: Activation;
  /** Replaces the activation of the block. */
  readonly activation?: Activation;
}

export interface BlockDefaults {
  readonly activation: Activation;
  readonly se: SqueezeExciteRule;
}

/** Adds one block with parameters below `path`. */
export function mobileBlock(x: Value, path: string, at: Context, row: Row, defaults: BlockDefaults): BlockOutput {
  const [block, expansion, channels, , stride, options = {}] = row;
  if (typeof block === 'function') return block(x, path, at, row, defaults);
  const {
    kernel = 3,
    se,
    activation = defaults.activation,
    expandGroups,
    projectGroups,
    skip = block !== 'dsa',
  } = options;
  const inputs = x.shape[3]!;
  const withShortcut = (y: Value): Value => (skip && stride === 1 && inputs === channels ? residual(y, x, at) : y);
  const excite = (y: Value): Value => {
    if (se === undefined) return y;
    const { of, gate, activation: inner = activation } = defaults.se;
    const reduced = of === 'input' ? Math.round(inputs * se) : divisible(y.shape[3]! * se);
    const names = ['conv_reduce', 'conv_expand'] as const;
    return squeezeExcite(y, `${path}.se`, at, { reduced, names, gate, activation: inner });
  };
  if (block === 'cn') {
    const side = (options.kernel ?? 1) as number;
    const y = conv(x, `${path}.conv`, at, { channels, kernel: side, stride });
    return { y: withShortcut(normActivate(y, `${path}.bn1`, at, activation)) };
  }
  const spatial = (x: Value, norm: string): Value =>
    excite(normActivate(mixDepthwise(x, `${path}.conv_dw`, at, kernel, stride), `${path}.${norm}`, at, activation));
  if (block !== 'ir') {
    const y = batchNorm(mixPointwise(spatial(x, 'bn1'), `${path}.conv_pw`, at, channels), `${path}.bn2`, at);
    return { y: withShortcut(activate(y, block === 'dsa' ? activation : 'none')) };
  }
  const wide = mixPointwise(x, `${path}.conv_pw`, at, divisible(inputs * expansion), expandGroups);
  const expanded = normActivate(wide, `${path}.bn1`, at, activation);
  const narrow = mixPointwise(spatial(expanded, 'bn2'), `${path}.conv_pwl`, at, channels, projectGroups);
  return { y: withShortcut(batchNorm(narrow, `${path}.bn3`, at)), expanded };
}
