import {
  activate,
  averagePool,
  batchNorm,
  conv,
  depthwise,
  maxPool,
  normActivate,
  residual,
  type Context,
} from '../../graph/blocks.js';
import { concat, pad } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { channelShuffle } from './channelShuffle.js';
import { linearHead } from './linearHead.js';

/** Zhang et al. 2018 (arXiv:1707.01083), table 1: channels of the first stage by number of groups; each stage doubles
 *  them. */
const CHANNELS = { 1: 144, 2: 200, 3: 240, 4: 272, 8: 384 } as const;
type Groups = keyof typeof CHANNELS;
const REPEATS = [4, 8, 4] as const;
const STEM = 24;
/** Factor by which the middle of a unit is narrower. */
const BOTTLENECK = 4;

interface Unit {
  readonly channels: number;
  readonly groups: number;
  readonly stride: number;
  /** True for the first unit: its first 1×1 convolution has no groups, since it reads few channels. */
  readonly dense: boolean;
}

/** Grouped 1×1, shuffle, depthwise, grouped 1×1. The result is added to the input, or, where the size halves,
 *  concatenated with the averages of the input. */
function unit(x: Value, path: string, at: Context, { channels, groups, stride, dense }: Unit): Value {
  const narrow = conv(x, `${path}.compress_conv1`, at, {
    channels: Math.floor(channels / BOTTLENECK),
    groups: dense ? 1 : groups,
  });
  const shuffled = channelShuffle(normActivate(narrow, `${path}.compress_bn1`, at, 'relu'), groups);
  const spatial = batchNorm(depthwise(shuffled, `${path}.dw_conv2`, at, { stride }), `${path}.dw_bn2`, at);
  const own = stride === 1 ? channels : channels - x.shape[3]!;
  const wide = batchNorm(
    conv(spatial, `${path}.expand_conv3`, at, { channels: own, groups }),
    `${path}.expand_bn3`,
    at,
  );
  if (stride === 1) return activate(residual(wide, x, at), 'relu');
  const around = pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]); // prettier-ignore
  return activate(concat([wide, averagePool(around, { kernel: 3, stride })], 3), 'relu');
}

const features =
  (groups: Groups, width: number) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    const stem = conv(image, `${path}.init_block.conv`, at, { channels: STEM * width, kernel: 3, stride: 2 });
    const c1 = normActivate(stem, `${path}.init_block.bn`, at, 'relu');
    const c2 = maxPool(c1, at, { kernel: 3, stride: 2 });
    let x = c2;
    const [c3, c4, c5] = REPEATS.map((repeats, stage) => {
      const channels = CHANNELS[groups] * width * 2 ** stage;
      for (let i = 0; i < repeats; i++) {
        const [stride, dense] = [i === 0 ? 2 : 1, stage === 0 && i === 0];
        x = unit(x, `${path}.stage${stage + 1}.unit${i + 1}`, at, { channels, groups, stride, dense });
      }
      return x;
    }) as [Value, Value, Value];
    return { c1, c2, c3, c4, c5 };
  };

const variants: readonly (readonly [name: string, groups: Groups, width: number])[] = [
  ['g1_w1', 1, 1],
  ['g2_w1', 2, 1],
  ['g3_w1', 3, 1],
  ['g4_w1', 4, 1],
  ['g8_w1', 8, 1],
  ['g3_wd2', 3, 0.5],
  ['g3_w2', 3, 2],
];

/** Neither timm nor torchvision has these models; the names of models and parameters are those of pytorchcv. */
export const shufflenetv1: readonly Backbone[] = variants.map(([name, groups, width]) => ({
  name: `shufflenet_${name}`,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages: ['init_block', 'stage1', 'stage2', 'stage3'].map((stage) => [`backbone.features.${stage}`]),
  source: 'arXiv:1707.01083',
  features: features(groups, width),
  classifier: linearHead('output'),
}));
