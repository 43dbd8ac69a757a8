import { reshape, transpose } from '../../graph/builder.js';
import { sizeOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/spec.js';

/** Interleaves the channels of `groups` groups: the first of each group, then the second of each, and so on. Zhang et
 *  al. 2018 (arXiv:1707.01083), section 3.1. */
export function channelShuffle(x: Value, groups: number): Value {
  const channels = x.shape[3]!;
  const dealt = transpose(reshape(x, [sizeOf(x.shape) / channels, groups, channels / groups]), [0, 2, 1]);
  return reshape(dealt, x.shape);
}
