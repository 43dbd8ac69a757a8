import {
  batchNorm,
  conv,
  depthwise,
  normActivate,
  residual,
  type Activation,
  type Context,
} from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone } from '../backbone.js';
import { divisible } from './divisible.js';
import type { OwnBlock, RowOptions } from './mobileBlocks.js';
import { mobileNetwork, type Table } from './mobileNetwork.js';

/** The universal inverted bottleneck: 1×1 expansion and linear 1×1 projection, with an optional depthwise convolution
 *  before the expansion (`start`) and between the two (`middle`), each given by the side of its kernel. Qin et al. 2024
 *  (arXiv:2404.10518). */
const universal =
  ({ start, middle }: { readonly start?: number; readonly middle?: number }): OwnBlock =>
  (x, path, at, [, expansion, channels, , stride], { activation }) => {
    const normed = (y: Value, name: string, inner: Activation): Value =>
      normActivate(y, `${path}.${name}.bn`, at, inner);
    const spatial = (y: Value, name: string, options: { kernel: number; stride: number }): Value =>
      depthwise(y, `${path}.${name}.conv`, at, options);
    const pointwise = (y: Value, name: string, width: number): Value =>
      conv(y, `${path}.${name}.conv`, at, { channels: width });
    let y = x;
    if (start) y = normed(spatial(y, 'dw_start', { kernel: start, stride: middle ? 1 : stride }), 'dw_start', 'none');
    const expanded = normed(pointwise(y, 'pw_exp', divisible(x.shape[3]! * expansion)), 'pw_exp', activation);
    y = expanded;
    if (middle) y = normed(spatial(y, 'dw_mid', { kernel: middle, stride }), 'dw_mid', activation);
    y = normed(pointwise(y, 'pw_proj', channels), 'pw_proj', 'none');
    y = withShortcut(y, x, at, stride);
    return middle ? { y, expanded } : { y };
  };

/** The fused inverted bottleneck: a dense 3×3 convolution expands, a linear 1×1 convolution projects. */
const fused: OwnBlock = (x, path, at, [, expansion, channels, , stride], { activation }) => {
  const wide = conv(x, `${path}.conv_exp`, at, { channels: divisible(x.shape[3]! * expansion), kernel: 3, stride });
  const expanded = normActivate(wide, `${path}.bn1`, at, activation);
  const y = batchNorm(conv(expanded, `${path}.conv_pwl`, at, { channels }), `${path}.bn2`, at);
  return { y: withShortcut(y, x, at, stride) };
};

const withShortcut = (y: Value, x: Value, at: Context, stride: number): Value =>
  stride === 1 && x.shape[3] === y.shape[3] ? residual(y, x, at) : y;

/** The paper's names for the forms of the universal block. */
const extraDw = (start: number, middle: number): OwnBlock => universal({ start, middle });
const inverted = (middle: number): OwnBlock => universal({ middle });
const convNext = (start: number): OwnBlock => universal({ start });
const feedForward = universal({});

const k3: RowOptions = { kernel: 3, skip: false };
const k1: RowOptions = { kernel: 1, skip: false };

/** The architecture tables of the paper's appendix, as timm has them: expansion, channels, repeats, stride. */
const small: Table = [
  [['cn', 1, 32, 1, 2, k3], ['cn', 1, 32, 1, 1, k1]],
  [['cn', 1, 96, 1, 2, k3], ['cn', 1, 64, 1, 1, k1]],
  [[extraDw(5, 5), 3, 96, 1, 2], [inverted(3), 2, 96, 4, 1], [convNext(3), 4, 96, 1, 1]],
  [
    [extraDw(3, 3), 6, 128, 1, 2],
    [extraDw(5, 5), 4, 128, 1, 1],
    [inverted(5), 4, 128, 1, 1],
    [inverted(5), 3, 128, 1, 1],
    [inverted(3), 4, 128, 2, 1],
  ],
  [['cn', 1, 960, 1, 1, k1]],
]; // prettier-ignore

const medium: Table = [
  [[fused, 4, 48, 1, 2]],
  [[extraDw(3, 5), 4, 80, 1, 2], [extraDw(3, 3), 2, 80, 1, 1]],
  [
    [extraDw(3, 5), 6, 160, 1, 2],
    [extraDw(3, 3), 4, 160, 2, 1],
    [extraDw(3, 5), 4, 160, 1, 1],
    [extraDw(3, 3), 4, 160, 1, 1],
    [convNext(3), 4, 160, 1, 1],
    [feedForward, 2, 160, 1, 1],
    [convNext(3), 4, 160, 1, 1],
  ],
  [
    [extraDw(5, 5), 6, 256, 1, 2],
    [extraDw(5, 5), 4, 256, 1, 1],
    [extraDw(3, 5), 4, 256, 2, 1],
    [feedForward, 4, 256, 1, 1],
    [convNext(3), 4, 256, 1, 1],
    [extraDw(3, 5), 2, 256, 1, 1],
    [extraDw(5, 5), 4, 256, 1, 1],
    [feedForward, 4, 256, 2, 1],
    [convNext(5), 2, 256, 1, 1],
  ],
  [['cn', 1, 960, 1, 1, k1]],
]; // prettier-ignore

const large: Table = [
  [[fused, 4, 48, 1, 2]],
  [[extraDw(3, 5), 4, 96, 1, 2], [extraDw(3, 3), 4, 96, 1, 1]],
  [
    [extraDw(3, 5), 4, 192, 1, 2],
    [extraDw(3, 3), 4, 192, 3, 1],
    [extraDw(3, 5), 4, 192, 1, 1],
    [extraDw(5, 3), 4, 192, 5, 1],
    [convNext(3), 4, 192, 1, 1],
  ],
  [
    [extraDw(5, 5), 4, 512, 4, 2],
    [convNext(5), 4, 512, 1, 1],
    [extraDw(5, 3), 4, 512, 1, 1],
    [convNext(5), 4, 512, 2, 1],
    [extraDw(5, 3), 4, 512, 1, 1],
    [extraDw(5, 5), 4, 512, 1, 1],
    [convNext(5), 4, 512, 3, 1],
  ],
  [['cn', 1, 960, 1, 1, k1]],
]; // prettier-ignore

/** Name, table, channels of the stem, and the resolution at which timm's default weights were trained. */
const sizes = [
  ['small', small, 32, 224],
  ['medium', medium, 32, 256],
  ['large', large, 24, 384],
] as const;
const HEAD = 1280;

export const mobilenetv4: readonly Backbone[] = sizes.map(([size, table, stem, resolution]) => ({
  name: `mobilenetv4_conv_${size}`,
  style: pytorch,
  ...IMAGENET,
  resolution,
  source: 'arXiv:2404.10518',
  ...mobileNetwork({
    stem,
    table,
    head: HEAD,
    headPooled: true,
    headNorm: true,
    activation: 'relu',
    se: { of: 'input', gate: 'sigmoid' },
  }),
}));
