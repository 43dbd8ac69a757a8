import { reshape, transpose } from '../../graph/builder.js';
import { sizeOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/spec.js';

/** Channels in `groups` groups dealt out in turn: the first of each, the second of each … Zhang et al. 2018 (arXiv:1707.01083), section 3.1. */
export function channelShuffle(x: Value, groups: number): Value {
  const channels = x.shape[3]!;
  const dealt = transpose(reshape(x, [sizeOf(x.shape) / channels, groups, channels / groups]), [0, 2, 1]);
  return reshape(dealt, x.shape);
}
