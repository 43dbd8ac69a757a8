import { averagePool, conv, linear, normActivate, type Context } from '../../graph/blocks.js';
import { concat, globalAveragePool, slice } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Classifier, type Taps } from '../backbone.js';
import { channelShuffle } from './channelShuffle.js';
import { pooled } from './linearHead.js';

/** Huang et al. 2018 (arXiv:1711.09224), table 1: layers and growth of each block; the growth doubles from block to
 *  block. */
const rows = [
  [4, 8],
  [6, 16],
  [8, 32],
  [10, 64],
  [8, 128],
] as const;
const STEM = 16;
/** Channels of the 1×1 convolution before each 3×3, as a multiple of the growth. */
const BOTTLENECK = 4;
/** One feature of this many reaches the classifier. */
const KEPT = 2;

/** Adds a condensed layer. In the paper training prunes each group of the 1×1 convolution to some of its inputs, and
 *  only the trained weights say to which. Here group g reads the inputs g, g + groups, …, so that each group reads
 *  early and late features. */
function unit(x: Value, path: string, at: Context, growth: number, groups: number): Value {
  const dealt = channelShuffle(x, x.shape[3]! / groups);
  const wide = { channels: BOTTLENECK * growth, groups };
  const narrow = conv(normActivate(dealt, `${path}.conv1.bn`, at, 'relu'), `${path}.conv1.conv`, at, wide);
  const mixed = normActivate(channelShuffle(narrow, groups), `${path}.conv2.bn`, at, 'relu');
  return concat([x, conv(mixed, `${path}.conv2.conv`, at, { channels: growth, kernel: 3, groups })], 3);
}

const features =
  (groups: number) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone.features';
    let x = conv(image, `${path}.init_block.conv`, at, { channels: STEM, kernel: 3, stride: 2 });
    const [c1, c2, c3, c4, end] = rows.map(([layers, growth], stage) => {
      if (stage > 0) x = averagePool(x, { kernel: 2, stride: 2 });
      for (let i = 1; i <= layers; i++) x = unit(x, `${path}.stage${stage + 1}.unit${i}`, at, growth, groups);
      return x;
    }) as [Value, Value, Value, Value, Value];
    return { c1, c2, c3, c4, c5: normActivate(end, `${path}.post_activ.bn`, at, 'relu') };
  };

/** The classifier reads every second feature, so that it gets early and late ones. */
const classifier: Classifier = ({ c5 }, at, classes) => {
  const [batch, channels] = [c5.shape[0]!, c5.shape[3]!];
  const kept = slice(
    channelShuffle(globalAveragePool(c5), channels / KEPT),
    [0, 0, 0, 0],
    [batch, 1, 1, channels / KEPT],
  );
  return linear(pooled(kept), 'output.linear', at, { units: classes });
};

const stages = [['init_block', 'stage1'], ['stage2'], ['stage3'], ['stage4'], ['stage5', 'post_activ']].map((names) =>
  names.map((name) => `backbone.features.${name}`),
);

/** Neither timm nor torchvision has this model; the names of models and parameters are those of pytorchcv. */
export const condensenet: readonly Backbone[] = ([4, 8] as const).map((groups) => ({
  name: `condensenet74_c${groups}_g${groups}`,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages,
  source: 'arXiv:1711.09224',
  features: features(groups),
  classifier,
}));
