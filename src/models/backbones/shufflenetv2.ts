import { conv, depthwise, batchNorm, maxPool, normActivate, type Context } from '../../graph/blocks.js';
import { concat, slice } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { IMAGENET, pytorch, type Backbone, type Taps } from '../backbone.js';
import { channelShuffle } from './channelShuffle.js';
import { linearHead } from './linearHead.js';

/** Ma et al. 2018 (arXiv:1807.11164), table 5: channels of the stages and of the last convolution, by width. */
const widths = [
  ['x0_5', [48, 96, 192], 1024],
  ['x1_0', [116, 232, 464], 1024],
  ['x1_5', [176, 352, 704], 1024],
  ['x2_0', [244, 488, 976], 2048],
] as const;
const REPEATS = [4, 8, 4] as const;
const STEM = 24;

/** The right branch: 1×1, depthwise, 1×1. Names are indices in torchvision's nn.Sequential. */
function right(x: Value, path: string, at: Context, channels: number, stride: number): Value {
  const first = normActivate(conv(x, `${path}.0`, at, { channels }), `${path}.1`, at, 'relu');
  const spatial = batchNorm(depthwise(first, `${path}.3`, at, { stride }), `${path}.4`, at);
  return normActivate(conv(spatial, `${path}.5`, at, { channels }), `${path}.6`, at, 'relu');
}

/** Half of the channels pass unchanged. Where the size halves, both branches read all channels. */
function unit(x: Value, path: string, at: Context, channels: number, stride: number): Value {
  const half = channels / 2;
  const [n, h, w, inputs] = x.shape as [number, number, number, number];
  if (stride === 1) {
    const passed = slice(x, [0, 0, 0, 0], [n, h, w, inputs / 2]);
    const other = slice(x, [0, 0, 0, inputs / 2], [n, h, w, inputs / 2]);
    return channelShuffle(concat([passed, right(other, `${path}.branch2`, at, half, 1)], 3), 2);
  }
  const left = `${path}.branch1`;
  const spatial = batchNorm(depthwise(x, `${left}.0`, at, { stride }), `${left}.1`, at);
  const passed = normActivate(conv(spatial, `${left}.2`, at, { channels: half }), `${left}.3`, at, 'relu');
  return channelShuffle(concat([passed, right(x, `${path}.branch2`, at, half, stride)], 3), 2);
}

const features =
  (channels: readonly number[], last: number) =>
  (image: Value, at: Context): Taps => {
    const path = 'backbone';
    const layer = (x: Value, name: string, options: Parameters<typeof conv>[3]): Value =>
      normActivate(conv(x, `${path}.${name}.0`, at, options), `${path}.${name}.1`, at, 'relu');
    const c1 = layer(image, 'conv1', { channels: STEM, kernel: 3, stride: 2 });
    const c2 = maxPool(c1, at, { kernel: 3, stride: 2 });
    let x = c2;
    const [c3, c4, end] = REPEATS.map((repeats, stage) => {
      for (let i = 0; i < repeats; i++)
        x = unit(x, `${path}.stage${stage + 2}.${i}`, at, channels[stage]!, i === 0 ? 2 : 1);
      return x;
    }) as [Value, Value, Value];
    return { c1, c2, c3, c4, c5: layer(end, 'conv5', { channels: last }) };
  };

export const shufflenetv2: readonly Backbone[] = widths.map(([width, channels, last]) => ({
  name: `shufflenet_v2_${width}`,
  style: pytorch,
  ...IMAGENET,
  resolution: 224,
  stages: ['conv1', 'stage2', 'stage3', 'stage4', 'conv5'].map((name) => [`backbone.${name}`]),
  source: 'arXiv:1807.11164',
  features: features(channels, last),
  classifier: linearHead('fc'),
}));
