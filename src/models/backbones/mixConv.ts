import { conv, depthwise, type Context } from '../../graph/blocks.js';
import { concat, slice } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';

/** Side of a kernel, or several sides, among which the channels are split evenly. */
export type Kernels = number | readonly number[];

/** Splits `channels` into `parts` sizes; the first one takes the remainder. */
function split(channels: number, parts: number): number[] {
  const share = Math.floor(channels / parts);
  return Array.from({ length: parts }, (_, i) => (i === 0 ? channels - share * (parts - 1) : share));
}

/** Splits the channels of x into one slice for each kernel, puts each through a layer, and concatenates the results.
 *  The layers are called `<path>.<i>`. */
function mixed(x: Value, kernels: readonly number[], layer: (part: Value, i: number) => Value): Value {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  let start = 0;
  const parts = split(c, kernels.length).map((size, i) => {
    const part = slice(x, [0, 0, 0, start], [n, h, w, size]);
    start += size;
    return layer(part, i);
  });
  return concat(parts, 3);
}

/** A depthwise convolution with one kernel, or MixConv with several: Tan & Le 2019 (arXiv:1907.09595). */
export function mixDepthwise(x: Value, path: string, at: Context, kernels: Kernels, stride: number): Value {
  if (typeof kernels === 'number') return depthwise(x, path, at, { kernel: kernels, stride });
  return mixed(x, kernels, (part, i) => depthwise(part, `${path}.${i}`, at, { kernel: kernels[i]!, stride }));
}

/** A 1×1 convolution, or `groups` of them side by side, each on its share of the channels. */
export function mixPointwise(x: Value, path: string, at: Context, channels: number, groups = 1): Value {
  if (groups === 1) return conv(x, path, at, { channels });
  const widths = split(channels, groups);
  const ones = widths.map(() => 1);
  return mixed(x, ones, (part, i) => conv(part, `${path}.${i}`, at, { channels: widths[i]! }));
}
