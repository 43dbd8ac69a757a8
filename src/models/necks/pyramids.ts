import type { Context } from '../../graph/blocks.js';
import type { Taps } from '../backbone.js';
import { balanced } from './balanced.js';
import { fpn, type Extra } from './fpn.js';
import type { PyramidLevel } from './pyramid.js';

export interface PyramidOptions {
  /** `fpn`: a feature pyramid. `balanced`: a feature pyramid with Libra R-CNN's refinement. */
  readonly neck: 'fpn' | 'balanced';
  /** Channels of each level of the pyramid. */
  readonly channels: number;
}

/** The pyramid of a backbone's feature maps from the stride `finest` on. Throws E_MODEL_SIZE where `balanced` does not
 *  fit the input. */
export function buildPyramid(
  { c2, c3, c4, c5 }: Taps,
  at: Context,
  { neck, channels }: PyramidOptions,
  { finest, extra }: { readonly finest: 4 | 8; readonly extra: Extra },
): readonly PyramidLevel[] {
  const taps = [c2, c3, c4, c5].map((map, i) => ({ map, stride: 4 << i })).filter(({ stride }) => stride >= finest);
  const levels = fpn(taps, at, { channels, extra });
  return neck === 'balanced' ? balanced(levels, at) : levels;
}
