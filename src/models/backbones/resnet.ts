import { activate, batchNorm, conv, maxPool, normActivate, residual, type Context } from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { divisible } from './divisible.js';
import { linearHead } from './linearHead.js';
import { squeezeExcite } from './squeezeExcite.js';

interface Variant {
  readonly block: 'basic' | 'bottleneck';
  /** Blocks of layer1 … layer4. */
  readonly depths: readonly [number, number, number, number];
  /** For ResNeXt: number of groups of the 3×3 convolution. */
  readonly groups?: number;
  /** For ResNeXt: channels of a group in layer1. */
  readonly groupWidth?: number;
  readonly se?: boolean;
}

/** Channels of layer1 before the bottleneck's expansion; each layer doubles them. He et al. 2016 (arXiv:1512.03385),
 *  table 1. */
const WIDTH = 64;
const EXPANSION = { basic: 1, bottleneck: 4 } as const;
/** Ratio of squeeze-excite: Hu et al. 2018 (arXiv:1709.01507). Its channels are multiples of 8 as in timm. */
const SE = 1 / 16;

/** The stride is in the 3×3 convolution, as in torchvision and timm. */
function block(x: Value, path: string, at: Context, variant: Variant, width: number, stride: number): Value {
  const { block: kind, groups = 1, groupWidth = WIDTH, se = false } = variant;
  const channels = width * EXPANSION[kind];
  const layer = (x: Value, i: number, options: Parameters<typeof conv>[3]): Value =>
    batchNorm(conv(x, `${path}.conv${i}`, at, options), `${path}.bn${i}`, at);
  let y: Value;
  if (kind === 'basic') {
    y = activate(layer(x, 1, { channels: width, kernel: 3, stride }), 'relu');
    y = layer(y, 2, { channels, kernel: 3 });
  } else {
    const inner = Math.floor((width * groupWidth) / WIDTH) * groups;
    y = activate(layer(x, 1, { channels: inner }), 'relu');
    y = activate(layer(y, 2, { channels: inner, kernel: 3, stride, groups }), 'relu');
    y = layer(y, 3, { channels });
  }
  if (se) y = squeezeExcite(y, `${path}.se`, at, { reduced: divisible(channels * SE) });
  const projects = stride !== 1 || x.shape[3] !== channels;
  const shortcut = projects
    ? batchNorm(conv(x, `${path}.downsample.0`, at, { channels, stride }), `${path}.downsample.1`, at)
    : x;
  return activate(residual(y, shortcut, at), 'relu');
}

const features =
  (variant: Variant) =>
  (image: Value, at: Context): Taps => {
    const stem = conv(image, 'backbone.conv1', at, { channels: WIDTH, kernel: 7, stride: 2 });
    const c1 = normActivate(stem, 'backbone.bn1', at, 'relu');
    let x = maxPool(c1, at, { kernel: 3, stride: 2 });
    const [c2, c3, c4, c5] = variant.depths.map((depth, layer) => {
      for (let i = 0; i < depth; i++) {
        const stride = layer > 0 && i === 0 ? 2 : 1;
        x = block(x, `backbone.layer${layer + 1}.${i}`, at, variant, WIDTH * 2 ** layer, stride);
      }
      return x;
    }) as [Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5 };
  };

const stages = [['backbone.conv1', 'backbone.bn1'], ...[1, 2, 3, 4].map((layer) => [`backbone.layer${layer}`])];

const deep = {
  18: { block: 'basic', depths: [2, 2, 2, 2] },
  34: { block: 'basic', depths: [3, 4, 6, 3] },
  50: { block: 'bottleneck', depths: [3, 4, 6, 3] },
  101: { block: 'bottleneck', depths: [3, 4, 23, 3] },
  152: { block: 'bottleneck', depths: [3, 8, 36, 3] },
} as const;
const x32 = { groups: 32, groupWidth: 4 };
const x64 = { groups: 64, groupWidth: 4 };
const se = { se: true };

/** Names are timm's; resnext50_64x4d and seresnext50_64x4d follow their pattern. */
const variants: readonly (readonly [name: string, source: string, variant: Variant])[] = [
  ['resnet18', 'arXiv:1512.03385', deep[18]],
  ['resnet34', 'arXiv:1512.03385', deep[34]],
  ['resnet50', 'arXiv:1512.03385', deep[50]],
  ['resnet101', 'arXiv:1512.03385', deep[101]],
  ['resnet152', 'arXiv:1512.03385', deep[152]],
  ['resnext50_32x4d', 'arXiv:1611.05431', { ...deep[50], ...x32 }],
  ['resnext50_64x4d', 'arXiv:1611.05431', { ...deep[50], ...x64 }],
  ['resnext101_32x4d', 'arXiv:1611.05431', { ...deep[101], ...x32 }],
  ['resnext101_64x4d', 'arXiv:1611.05431', { ...deep[101], ...x64 }],
  ['seresnet18', 'arXiv:1709.01507', { ...deep[18], ...se }],
  ['seresnet34', 'arXiv:1709.01507', { ...deep[34], ...se }],
  ['seresnet50', 'arXiv:1709.01507', { ...deep[50], ...se }],
  ['seresnet101', 'arXiv:1709.01507', { ...deep[101], ...se }],
  ['seresnet152', 'arXiv:1709.01507', { ...deep[152], ...se }],
  ['seresnext50_32x4d', 'arXiv:1709.01507', { ...deep[50], ...x32, ...se }],
  ['seresnext101_32x4d', 'arXiv:1709.01507', { ...deep[101], ...x32, ...se }],
  ['seresnext101_64x4d', 'arXiv:1709.01507', { ...deep[101], ...x64, ...se }],
  ['wide_resnet50_2', 'arXiv:1605.07146', { ...deep[50], groupWidth: 128 }],
  ['wide_resnet101_2', 'arXiv:1605.07146', { ...deep[101], groupWidth: 128 }],
];

export const resnet: readonly Backbone[] = variants.map(([name, source, variant]) => ({
  name,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages,
  source,
  features: features(variant),
  classifier: linearHead('fc'),
}));
