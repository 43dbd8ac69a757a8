import { activate, conv, type Context } from '../../graph/blocks.js';
import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { Neck } from '../detector.js';

/** SSD's levels on VGG-16: conv4_3 normalised (stride 8), the wide layers as convolutions (16), and four extras (32, 64, 100 and 300 pixels
 *  at 300). Liu et al. 2016 (arXiv:1512.02325), section 3.1, in torchvision's arrangement. */
export const ssdNeck: Neck = ({ c3, c4 }, at) => {
  const wide = fullyConvolutional(c4, at);
  return [normaliseL2(c3, 'neck.l2norm', at), wide, ...extras(wide, at)];
};

/** What the rescaled feature vectors begin with: Liu et al. 2015 (arXiv:1506.04579), section 3.3. */
const LENGTH = 20;
/** Below this the square of a length counts as 0. */
const TINY = 1e-24;

/** Each cell's vector at length 1, times a scale per channel, `<path>.weight`. */
function normaliseL2(x: Value, path: string, { graph }: Context): Value {
  const squares = b.maximum(b.sum(b.square(x), [3], true), TINY);
  const init = { type: 'constant', value: LENGTH } as const;
  const scale = b.param(graph, { name: `${path}.weight`, role: 'scale', kind: 'vector', shape: [x.shape[3]!], init });
  return b.mul(b.mul(x, b.rsqrt(squares)), scale);
}

const CHANNELS = 1024;
const ATROUS = 6;

/** VGG's fc6 and fc7, the first with holes so that the subsampled 7×7 sees as far: Liu et al. 2016, section 3.1. */
function fullyConvolutional(x: Value, at: Context): Value {
  const around = [[1, 1], [1, 1]] as const; // prettier-ignore
  const pooled = b.maxPool(x, { kernel: [3, 3], stride: 1, padding: around });
  const fc6 = conv(pooled, 'neck.fc6', at, { channels: CHANNELS, kernel: 3, dilation: ATROUS, bias: true });
  const fc7 = conv(activate(fc6, 'relu'), 'neck.fc7', at, { channels: CHANNELS, bias: true });
  return activate(fc7, 'relu');
}

/** Middle and output channels, and how the 3×3 between steps: by two, or to what lies inside. */
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
    const window = step === 'stride' ? { stride: 2 } : { padding: [[0, 0], [0, 0]] as const }; // prettier-ignore
    x = activate(conv(x, `${path}.conv2`, at, { channels, kernel: 3, bias: true, ...window }), 'relu');
    return x;
  });
}
