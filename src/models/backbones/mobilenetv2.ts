import { activate, batchNorm, conv, depthwise, type Context, type Style } from '../../graph/blocks.js';
import { add } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { Backbone, Taps } from '../backbone.js';

/** Sandler et al. 2018 (arXiv:1801.04381), table 2: expansion, channels, repeats, stride. */
const rows = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;
const STEM = 32;
const HEAD = 1280;

/** Channels to a multiple of 8, never losing more than a tenth: the paper's code, `_make_divisible`. */
function divisible(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

const pytorch: Style = { padding: 'symmetric', epsilon: 1e-5, momentum: 0.1 };
const tensorflow: Style = { padding: 'same', epsilon: 1e-3, momentum: 0.03 };

/** An inverted residual: 1×1 expansion, depthwise 3×3, linear 1×1; the sum where shapes allow. Expansion 1 has no first 1×1. */
function block(
  x: Value,
  path: string,
  at: Context,
  expansion: number,
  channels: number,
  stride: number,
): { readonly y: Value; readonly expanded: Value } {
  const name =
    expansion > 1
      ? (['conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3'] as const)
      : (['', '', 'conv_dw', 'bn1', 'conv_pw', 'bn2'] as const);
  const width = x.shape[3]! * expansion;
  const expanded =
    expansion > 1
      ? activate(batchNorm(conv(x, `${path}.${name[0]}`, at, { channels: width }), `${path}.${name[1]}`, at), 'relu6')
      : x;
  const spatial = activate(
    batchNorm(depthwise(expanded, `${path}.${name[2]}`, at, { stride }), `${path}.${name[3]}`, at),
    'relu6',
  );
  const y = batchNorm(conv(spatial, `${path}.${name[4]}`, at, { channels }), `${path}.${name[5]}`, at);
  return { y: stride === 1 && x.shape[3] === channels ? add(x, y) : y, expanded };
}

function features(width: number): (image: Value, at: Context) => Taps {
  return (image, at) => {
    const path = 'backbone';
    const stem = conv(image, `${path}.conv_stem`, at, { channels: divisible(STEM * width), kernel: 3, stride: 2 });
    let x = activate(batchNorm(stem, `${path}.bn1`, at), 'relu6');
    const stageEnds: Value[] = [];
    const expansions: Value[] = [];
    for (const [stage, [expansion, channels, repeats, stride]] of rows.entries()) {
      for (let i = 0; i < repeats; i++) {
        const { y, expanded } = block(
          x,
          `${path}.blocks.${stage}.${i}`,
          at,
          expansion,
          divisible(channels * width),
          i === 0 ? stride : 1,
        );
        if (i === 0) expansions.push(expanded);
        x = y;
      }
      stageEnds.push(x);
    }
    const head = conv(x, `${path}.conv_head`, at, { channels: Math.max(HEAD, divisible(HEAD * width)) });
    const [c1, c2, c3, , c4] = stageEnds as [Value, Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5: activate(batchNorm(head, `${path}.bn2`, at), 'relu6'), c4Expanded: expansions[5]! };
  };
}

const stages = [['conv_stem', 'bn1'], ...rows.map((_, stage) => [`blocks.${stage}`]), ['conv_head', 'bn2']].map(
  (names) => names.map((name) => `backbone.${name}`),
);

/** timm's name for a width, e.g. mobilenetv2_100; with `tf_` in front for weights that TensorFlow trained (same padding, ε 1e-3). */
const variant = (width: number, style: Style): Backbone => ({
  name: `${style === tensorflow ? 'tf_' : ''}mobilenetv2_${String(Math.round(width * 100)).padStart(3, '0')}`,
  style,
  mean: 127.5,
  std: 127.5,
  stages,
  source: 'arXiv:1801.04381',
  features: features(width),
});

export const mobilenetv2: readonly Backbone[] = [0.35, 0.5, 0.75, 1, 1.4].flatMap((width) => [
  variant(width, pytorch),
  variant(width, tensorflow),
]);
