import { conv, type Context } from '../../graph/blocks.js';
import { add, maxPool, relu, resize } from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';
import { NO_PADDING, type PyramidLevel } from './pyramid.js';

/** How levels are added after the last one: `p6p7`, two, by strided convolutions (Lin et al. 2017, arXiv:1708.02002,
 *  section 4); `pool`, one, by taking every second cell (Lin et al. 2017, arXiv:1612.03144, section 4.1);
 *  `none`, no level. */
export type Extra = 'p6p7' | 'pool' | 'none';

/** torchvision's kaiming_uniform with a = 1: variance 1 / fan-in. */
const initOf = (inputs: number, kernel: number): Init => ({
  type: 'normal',
  std: Math.sqrt(1 / (inputs * kernel * kernel)),
});

function layer(x: Value, path: string, at: Context, channels: number, kernel: 1 | 3, stride = 1): Value {
  return conv(x, path, at, { channels, kernel, stride, bias: true, init: initOf(x.shape[3]!, kernel) });
}

/** A feature pyramid: a 1×1 convolution of each map, plus the enlarged coarser level, through a 3×3 convolution. Lin et
 *  al. 2017 (arXiv:1612.03144), section 3. taps finest first → levels of `channels`, finest first, and those of
 *  `extra`. Parameters `neck.inner_blocks.<i>`, `neck.layer_blocks.<i>`, `neck.extra_blocks.p6` and `.p7`, numbered as
 *  in torchvision. */
export function fpn(
  taps: readonly PyramidLevel[],
  at: Context,
  { channels, extra }: { readonly channels: number; readonly extra: Extra },
): readonly PyramidLevel[] {
  const levels: PyramidLevel[] = [];
  let above: Value | undefined;
  for (const [i, { map, stride }] of [...taps.entries()].reverse()) {
    const lateral = layer(map, `neck.inner_blocks.${i}`, at, channels, 1);
    const [, height, width] = lateral.shape as [number, number, number];
    above = above ? add(lateral, resize(above, [height, width], 'nearest')) : lateral;
    levels.unshift({ map: layer(above, `neck.layer_blocks.${i}`, at, channels, 3), stride });
  }
  if (extra === 'none') return levels;
  const last = levels.at(-1)!;
  if (extra === 'pool') {
    const everySecond = maxPool(last.map, { kernel: [1, 1], stride: 2, padding: NO_PADDING });
    return [...levels, { map: everySecond, stride: last.stride * 2 }];
  }
  const p6 = layer(last.map, 'neck.extra_blocks.p6', at, channels, 3, 2);
  const p7 = layer(relu(p6), 'neck.extra_blocks.p7', at, channels, 3, 2);
  return [...levels, { map: p6, stride: last.stride * 2 }, { map: p7, stride: last.stride * 4 }];
}
