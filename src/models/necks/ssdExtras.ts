import { activate, conv, type Context } from '../../graph/blocks.js';
import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { Neck } from '../detector.js';
import { NO_PADDING } from './pyramid.js';

/** SSD's levels: the normalised map of stride 8 (on VGG-16 that is conv4_3), the fully connected layers as convolutions
 *  on that of stride 16, and four extra levels (at an input of 300 pixels their cells are 32, 64, 100 and 300 pixels
 *  apart). Liu et al. 2016 (arXiv:1512.02325), section 3.1, arranged as in torchvision. On another backbone than a VGG
 *  the map of stride 16 is normalised, too: these layers have no BatchNorm, and the values of EfficientNet-Lite0's map
 *  made the first loss four times as large. */
export const ssdNeck =
  (isVgg: boolean): Neck =>
  ({ c3, c4 }, at) => {
    const wide = fullyConvolutional(isVgg ? c4 : normaliseL2(c4, 'neck.l2norm4', at), at);
    return [normaliseL2(c3, 'neck.l2norm', at), wide, ...extras(wide, at)];
  };

/** Initial length of the rescaled feature vectors of conv4_3's 512 channels: Liu et al. 2015 (arXiv:1506.04579),
 *  section 3.3. With other numbers of channels the values are as large as there. */
const LENGTH = 20;
const CHANNELS_OF_CONV4 = 512;
/** Least square of a length, to avoid a division by zero. */
const TINY = 1e-24;

/** Scales the vector of each cell to the length 1, then multiplies each channel by the parameter `<path>.weight`. */
function normaliseL2(x: Value, path: string, { graph }: Context): Value {
  const squares = b.maximum(b.sum(b.square(x), [3], true), TINY);
  const channels = x.shape[3]!;
  const init = { type: 'constant', value: LENGTH * Math.sqrt(channels / CHANNELS_OF_CONV4) } as const;
  const scale = b.param(graph, { name: `${path}.weight`, role: 'scale', kind: 'vector', shape: [channels], init });
  return b.mul(b.mul(x, b.rsqrt(squares)), scale);
}

const CHANNELS = 1024;
const ATROUS = 6;

/** VGG's fc6 and fc7 as convolutions. fc6 is dilated, so that its 3×3 filter covers about the area of the original 7×7:
 *  Liu et al. 2016, section 3.1. */
function fullyConvolutional(x: Value, at: Context): Value {
  const around = [
    [1, 1],
    [1, 1],
  ] as const;
  const pooled = b.maxPool(x, { kernel: [3, 3], stride: 1, padding: around });
  const fc6 = conv(pooled, 'neck.fc6', at, { channels: CHANNELS, kernel: 3, dilation: ATROUS, bias: true });
  const fc7 = conv(activate(fc6, 'relu'), 'neck.fc7', at, { channels: CHANNELS, bias: true });
  return activate(fc7, 'relu');
}

/** Channels of the 1×1 and of the 3×3 convolution, and whether the 3×3 has stride 2 or no padding. */
const EXTRAS = [
  [256, 512, 'stride'],
  [128, 256, 'stride'],
  [128, 256, 'inside'],
  [128, 256, 'inside'],
] as const;

function extras(last: Value, at: Context): readonly Value[] {
  let x = last;
  return EXTRAS.map(([middle, channels, step], i) => {
    const path = `neck.extras.${i}`;
    x = activate(conv(x, `${path}.conv1`, at, { channels: middle, bias: true }), 'relu');
    const window = step === 'stride' ? { stride: 2 } : { padding: NO_PADDING };
    x = activate(conv(x, `${path}.conv2`, at, { channels, kernel: 3, bias: true, ...window }), 'relu');
    return x;
  });
}
