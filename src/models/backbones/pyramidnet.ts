import { averagePool, batchNorm, conv, maxPool, normActivate, residual, type Context } from '../../graph/blocks.js';
import { concat, pad, slice } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { linearHead } from './linearHead.js';

/** Han et al. 2017 (arXiv:1610.02915): the channels grow by α / blocks with every block, and a bottleneck widens them
 *  fourfold. */
const DEPTHS = [3, 4, 23, 3] as const;
const ALPHA = 360;
const STEM = 64;
const EXPANSION = 4;

/** Averages 2×2 cells. A cell at an odd border averages the pixels that are there (ceil_mode): the last row or column
 *  is repeated first, which gives the same mean. */
function halved(x: Value): Value {
  const even = ([1, 2] as const).reduce((map, axis) => {
    const length = map.shape[axis]!;
    if (length % 2 === 0) return map;
    const begin = map.shape.map((_, i) => (i === axis ? length - 1 : 0));
    return concat([map, slice(map, begin, map.shape.map((n, i) => (i === axis ? 1 : n)))], axis); // prettier-ignore
  }, x);
  return averagePool(even, { kernel: 2, stride: 2 });
}

/** Section 3.3: BatchNorm, 1×1, then twice BatchNorm, ReLU, convolution, and a BatchNorm at the end; the shortcut is
 *  padded with zero channels. */
function unit(x: Value, path: string, at: Context, channels: number, stride: number): Value {
  const body = `${path}.body`;
  const inner = Math.floor(channels / EXPANSION);
  let y = conv(batchNorm(x, `${body}.conv1.bn`, at), `${body}.conv1.conv`, at, { channels: inner });
  y = conv(normActivate(y, `${body}.conv2.bn`, at, 'relu'), `${body}.conv2.conv`, at, {
    channels: inner,
    kernel: 3,
    stride,
  });
  y = conv(normActivate(y, `${body}.conv3.bn`, at, 'relu'), `${body}.conv3.conv`, at, { channels });
  const shortcut = stride === 1 ? x : halved(x);
  const widened = pad(shortcut, [[0, 0], [0, 0], [0, 0], [0, channels - x.shape[3]!]]); // prettier-ignore
  return residual(batchNorm(y, `${path}.bn`, at), widened, at);
}

function features(image: Value, at: Context): Taps {
  const path = 'backbone.features';
  const stem = conv(image, `${path}.init_block.conv`, at, { channels: STEM, kernel: 7, stride: 2 });
  const c1 = normActivate(stem, `${path}.init_block.bn`, at, 'relu');
  let x = maxPool(c1, at, { kernel: 3, stride: 2 });
  const growth = ALPHA / DEPTHS.reduce((total, depth) => total + depth, 0);
  let width: number = STEM;
  const [c2, c3, c4, end] = DEPTHS.map((depth, stage) => {
    for (let i = 0; i < depth; i++) {
      width += growth;
      const channels = Math.round(width) * EXPANSION;
      x = unit(x, `${path}.stage${stage + 1}.unit${i + 1}`, at, channels, stage > 0 && i === 0 ? 2 : 1);
    }
    return x;
  }) as [Value, Value, Value, Value];
  return { c1, c2, c3, c4, c5: normActivate(end, `${path}.post_activ.bn`, at, 'relu') };
}

/** Neither timm nor torchvision has this model; the names of models and parameters are those of pytorchcv. */
export const pyramidnet: readonly Backbone[] = [
  {
    name: 'pyramidnet101_a360',
    style: pytorch,
    ...IMAGENET,
    resolution: 224,
    stages: [['init_block'], ['stage1'], ['stage2'], ['stage3'], ['stage4', 'post_activ']].map((names) =>
      names.map((name) => `backbone.features.${name}`),
    ),
    source: 'arXiv:1610.02915',
    features,
    classifier: linearHead('output'),
  },
];
