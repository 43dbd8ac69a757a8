import { activate, batchNorm, conv, depthwise, normActivate, type Context } from '../../graph/blocks.js';
import { add, pad } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { divisible } from './divisible.js';
import { linearHead } from './linearHead.js';
import { squeezeExcite } from './squeezeExcite.js';

/** Han et al. 2021 (arXiv:2007.00992): repeats, stride of each stage. The channels grow linearly from block to block,
 *  16 to 180. */
export const rexnetRows: readonly Row[] = [
  [1, 1],
  [2, 2],
  [2, 2],
  [3, 2],
  [3, 1],
  [5, 2],
];
type Row = readonly [repeats: number, stride: number];
const FIRST = 16;
const GROWTH = 180;
const STEM = 32;
const HEAD = 1280;
const EXPANSION = 6;
const SE = 1 / 12;
/** The first two stages have no squeeze-excite. */
const WITHOUT_SE = 2;

interface Variant {
  readonly width: number;
  /** Channels are multiples of this. */
  readonly divisor: number;
  readonly rows?: readonly Row[];
  /** Channels of the first block (default: 16). */
  readonly first?: number;
  /** How many channels more the last block has (default: 180). */
  readonly growth?: number;
  /** Number of stages without squeeze-excite, counted from the first (default: 2). */
  readonly withoutSe?: number;
}

/** Rounds like Python's `round`: halves go to the even neighbour. */
const round = (value: number): number => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** A linear bottleneck. Where the output has more channels than the input, the input is added to the first of them. */
function block(
  x: Value,
  path: string,
  at: Context,
  {
    channels,
    stride,
    se,
    divisor,
    first,
  }: {
    readonly channels: number;
    readonly stride: number;
    readonly se: boolean;
    readonly divisor: number;
    readonly first: boolean;
  },
): { readonly y: Value; readonly expanded: Value } {
  // prettier-ignore
  const inputs = x.shape[3]!;
  const norm = (y: Value, layer: string): Value => batchNorm(y, `${path}.${layer}.bn`, at);
  const width = divisible(round(inputs * EXPANSION), divisor);
  const expanded = first
    ? x
    : activate(norm(conv(x, `${path}.conv_exp.conv`, at, { channels: width }), 'conv_exp'), 'swish');
  const spatial = norm(depthwise(expanded, `${path}.conv_dw.conv`, at, { stride }), 'conv_dw');
  const reduced = divisible(Math.floor(expanded.shape[3]! * SE), divisor);
  const excited = se ? squeezeExcite(spatial, `${path}.se`, at, { reduced, norm: 'bn' }) : spatial;
  const y = norm(conv(activate(excited, 'relu6'), `${path}.conv_pwl.conv`, at, { channels }), 'conv_pwl');
  return { y: stride === 1 && inputs <= channels ? addToFirst(at.regulariser?.dropBranch(y) ?? y, x) : y, expanded };
}

/** Adds x to the first channels of y, as many as x has. */
export function addToFirst(y: Value, x: Value): Value {
  const more = y.shape[3]! - x.shape[3]!;
  return add(y, more === 0 ? x : pad(x, [[0, 0], [0, 0], [0, 0], [0, more]])); // prettier-ignore
}

function features(variant: Variant): (image: Value, at: Context) => Taps {
  const { width, divisor, rows = rexnetRows, first = FIRST, growth = GROWTH, withoutSe = WITHOUT_SE } = variant;
  // Below width 1 the stem and the first block keep their channels.
  const base = width < 1 ? 1 / width : 1;
  const blocks = rows.reduce((total, [repeats]) => total + repeats, 0);
  return (image, at) => {
    const stem = conv(image, 'backbone.stem.conv', at, {
      channels: divisible(round(STEM * base * width), divisor),
      kernel: 3,
      stride: 2,
    });
    let x = normActivate(stem, 'backbone.stem.bn', at, 'swish');
    let index = 0;
    const stageEnds: Value[] = [];
    const expansions: Value[] = [];
    for (const [stage, [repeats, stride]] of rows.entries()) {
      for (let i = 0; i < repeats; i++) {
        const channels = divisible(round((first * base + (index * growth) / blocks) * width), divisor);
        const { y, expanded } = block(x, `backbone.features.${index}`, at, {
          channels,
          stride: i === 0 ? stride : 1,
          se: stage >= withoutSe,
          divisor,
          first: index === 0,
        });
        if (i === 0) expansions.push(expanded);
        x = y;
        index++;
      }
      stageEnds.push(x);
    }
    const head = conv(x, `backbone.features.${index}.conv`, at, { channels: divisible(HEAD * width, divisor) });
    const c5 = normActivate(head, `backbone.features.${index}.bn`, at, 'swish');
    const [c1, c2, c3, , c4] = stageEnds as [Value, Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5, c4Expanded: expansions[5]! };
  };
}

function stages(rows: readonly Row[] = rexnetRows): string[][] {
  let next = 0;
  const blocks = rows.map(([repeats]) => Array.from({ length: repeats }, () => `backbone.features.${next++}`));
  return [['backbone.stem'], ...blocks, [`backbone.features.${next}`]];
}

/** A network of the family. */
export const rexnetVariant = (name: string, source: string, options: Variant): Backbone => ({
  name,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages: stages(options.rows),
  source,
  features: features(options),
  classifier: linearHead('head.fc'),
});

const variant = (name: string, options: Variant): Backbone => {
  const percent = String(Math.round(options.width * 100)).padStart(3, '0');
  return rexnetVariant(`${name}_${percent}`, 'arXiv:2007.00992', options);
};

/** rexnetr is timm's variant with channels in multiples of 8 or 16. */
export const rexnet: readonly Backbone[] = [
  ...[0.9, 1, 1.3, 1.5, 2, 2.2, 3].map((width) => variant('rexnet', { width, divisor: 1 })),
  ...[1, 1.3, 1.5, 2].map((width) => variant('rexnetr', { width, divisor: 8 })),
  variant('rexnetr', { width: 3, divisor: 16 }),
];
