import type { Backbone } from '../backbone.js';
import { rexnetRows, rexnetVariant } from './rexnet.js';

/** The two models of the talk. It gives their errors and budgets, 3.76 M parameters / 0.40 G MACs and 3.99 M / 0.71 G,
 *  but no tables. ReXNet (arXiv:2007.00992) is what was published later. Both reconstructions follow its pattern: the
 *  channels grow from block to block, and blocks expand them six times.
 *
 *  Small: ReXNet 1.0 has the same 0.40 G, but 4.80 M parameters. Without its squeeze-excites (1.02 M, hardly any MACs)
 *  it has 3.77 M. So this is ReXNet 1.0 without squeeze-excite; it misses the budget by 0.4 % and 0.7 %.
 *
 *  Large: 0.23 M more parameters for 0.31 G more MACs can only lie where the feature maps are large. It has one more
 *  block at each of the strides 4 and 8, a wider first block and a slower growth: 28 + 155 instead of 16 + 180
 *  channels. With 4.01 M and 0.71 G it misses the budget by 0.4 % and 0.2 %. */
const SOURCE = "reconstructed from the talk's budget";
const NO_SE = { width: 1, divisor: 1, withoutSe: rexnetRows.length };
const deeper = rexnetRows.map(
  ([repeats, stride], stage) => [stage === 1 || stage === 2 ? 3 : repeats, stride] as const,
);

export const talk: readonly Backbone[] = [
  rexnetVariant('talk_small_reconstruction', SOURCE, NO_SE),
  rexnetVariant('talk_large_reconstruction', SOURCE, { ...NO_SE, rows: deeper, first: 28, growth: 155 }),
];
