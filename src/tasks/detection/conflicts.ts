import type { Conflict } from '../../conflict.js';
import type { BackboneChoice } from '../../models/table.js';
import { headOf, headsThat } from './detectors.js';

/** Contradictions in the detector of a recipe: those that its head names, and inputs of several sizes for a head that
 *  takes one. */
export function detectorConflicts(
  model: { readonly head: string; readonly backbone: BackboneChoice },
  size: readonly number[] | { readonly max: number },
  isSet: (path: string) => boolean,
): readonly Conflict[] {
  const head = headOf(model.head);
  const own = head.conflicts?.(model, isSet) ?? [];
  if (!('max' in size) || head.oneSize === undefined) return own;
  const several = {
    path: 'data.size',
    message: `"model.head: ${head.name}" ${head.oneSize}, and "data.size" gives a range`,
    fix: `set data.size: ${size.max}, or model.head: ${headsThat(({ oneSize }) => oneSize === undefined)}`,
  };
  return [...own, several];
}
