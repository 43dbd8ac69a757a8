import { averagePool, conv, maxPool, normActivate, type Context } from '../../graph/blocks.js';
import { concat } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';

/** Huang et al. 2017 (arXiv:1608.06993), table 1: channels of the stem, growth, layers of each block. */
const variants = [
  ['densenet121', 64, 32, [6, 12, 24, 16]],
  ['densenet161', 96, 48, [6, 12, 36, 24]],
  ['densenet169', 64, 32, [6, 12, 32, 32]],
  ['densenet201', 64, 32, [6, 12, 48, 32]],
] as const;
/** Channels of the 1×1 convolution before each 3×3, as a multiple of the growth. */
const BOTTLENECK = 4;

/** Returns the channels that a layer appends to its input. BatchNorm and ReLU come before the convolutions. */
function layer(x: Value, path: string, at: Context, growth: number): Value {
  const narrow = conv(normActivate(x, `${path}.norm1`, at, 'relu'), `${path}.conv1`, at, {
    channels: BOTTLENECK * growth,
  });
  return conv(normActivate(narrow, `${path}.norm2`, at, 'relu'), `${path}.conv2`, at, { channels: growth, kernel: 3 });
}

const features =
  (stem: number, growth: number, blocks: readonly number[]) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    const front = conv(image, `${path}.conv0`, at, { channels: stem, kernel: 7, stride: 2 });
    const c1 = normActivate(front, `${path}.norm0`, at, 'relu');
    let x = maxPool(c1, at, { kernel: 3, stride: 2 });
    const [c2, c3, c4, c5] = blocks.map((layers, i) => {
      for (let j = 1; j <= layers; j++)
        x = concat([x, layer(x, `${path}.denseblock${i + 1}.denselayer${j}`, at, growth)], 3);
      const last = i === blocks.length - 1;
      const tap = normActivate(x, last ? `${path}.norm5` : `${path}.transition${i + 1}.norm`, at, 'relu');
      if (!last) {
        const half = conv(tap, `${path}.transition${i + 1}.conv`, at, { channels: Math.floor(tap.shape[3]! / 2) });
        x = averagePool(half, { kernel: 2, stride: 2 });
      }
      return tap;
    }) as [Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5 };
  };

const stages = [
  ['conv0', 'norm0'],
  ['denseblock1', 'transition1'],
  ['denseblock2', 'transition2'],
  ['denseblock3', 'transition3'],
  ['denseblock4', 'norm5'],
].map((names) => names.map((name) => `backbone.features.${name}`));

export const densenet: readonly Backbone[] = variants.map(([name, stem, growth, blocks]) => ({
  name,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages,
  source: 'arXiv:1608.06993',
  features: features(stem, growth, blocks),
  classifier: linearHead('classifier'),
}));
