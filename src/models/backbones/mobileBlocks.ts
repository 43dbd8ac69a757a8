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
  /** Side of the depthwise kernel, or several for MixConv; 3 without it. For `cn`: of the convolution; 1 without it. */
  readonly kernel?: Kernels;
  /** Squeeze-excite: its middle channels as a share of the block's input or of the expanded channels (`SqueezeExciteRule.of`). */
  readonly se?: number;
  /** Instead of the network's. */
  readonly activation?: Activation;
  /** 1×1 convolutions side by side in the expansion and the projection. */
  readonly expandGroups?: number;
  readonly projectGroups?: number;
  /** False: no sum with the input, even where shapes allow. */
  readonly skip?: false;
}

/** What a block returns: its output and, if it has an expansion before the stride, the expanded map. */
export interface BlockOutput {
  readonly y: Value;
  readonly expanded?: Value;
}

/** Builds a block that only one family has. The parameters are called `<path>.…`; of the row it reads expansion, channels and stride. */
export type OwnBlock = (x: Value, path: string, at: Context, row: Row, defaults: BlockDefaults) => BlockOutput;

/** A row of the tables of the MobileNet family: a stage or a part of one. Blocks: `ds` is a depthwise and a linear 1×1 convolution (no
 *  expansion); `dsa` is the same with an activation behind the 1×1 and without the sum; `ir` is the inverted residual (1×1 expansion,
 *  depthwise, linear 1×1); `cn` is a convolution; a function builds a block of the family's own. */
export type Row = readonly [
  block: 'ds' | 'dsa' | 'ir' | 'cn' | OwnBlock,
  expansion: number,
  channels: number,
  repeats: number,
  stride: number,
  options?: RowOptions,
];

/** How a network's squeeze-excites look. */
export interface SqueezeExciteRule {
  readonly of: 'input' | 'expanded';
  readonly gate: Activation;
  /** Instead of the block's. */
  readonly activation?: Activation;
}

export interface BlockDefaults {
  readonly activation: Activation;
  readonly se: SqueezeExciteRule;
}

/** One block under `path`. */
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
