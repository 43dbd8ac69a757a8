import { activate, batchNorm, conv, depthwise, type Context } from '../../graph/blocks.js';
import type { Value } from '../../graph/spec.js';
import type { Neck } from '../detector.js';

/** Channels of SSD-lite's extra levels; each has half the resolution of the one before. */
const EXTRAS = [512, 256, 256, 128] as const;

/** SSD-lite's levels: stride 16 (the expanded map, where the backbone has one), stride 32 and the extra levels; for
 *  small objects stride 8 before them. */
export const ssdLiteNeck =
  (finestStride: 8 | 16): Neck =>
  ({ c3, c4, c4Expanded = c4, c5 }, at) => [...(finestStride === 8 ? [c3] : []), c4Expanded, c5, ...extras(c5, at)];

/** SSD-lite's extra levels after the last feature map, each made by a 1×1 convolution to half the channels, a depthwise
 *  3×3 with stride 2, and a 1×1. Sandler et al. 2018 (arXiv:1801.04381), section 6.2; parameters `neck.extras.<i>`. */
function extras(last: Value, at: Context): readonly Value[] {
  let x = last;
  return EXTRAS.map((channels, i) => {
    const path = `neck.extras.${i}`;
    x = activate(batchNorm(conv(x, `${path}.conv_pw`, at, { channels: channels / 2 }), `${path}.bn1`, at), 'relu6');
    x = activate(batchNorm(depthwise(x, `${path}.conv_dw`, at, { stride: 2 }), `${path}.bn2`, at), 'relu6');
    x = activate(batchNorm(conv(x, `${path}.conv_pwl`, at, { channels }), `${path}.bn3`, at), 'relu6');
    return x;
  });
}
