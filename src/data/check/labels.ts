import { countObjects } from '../countObjects.js';
import type { Dataset } from '../sample.js';
import type { CategoryStats } from './boxes.js';

/** The classes of a part whose images have one class each: an image counts as an object, and there are no sizes.
 *  Without `all`, classes that have no image are left out. */
export function labelStats({ categories, annotations }: Dataset, all: boolean): CategoryStats[] {
  const counts = countObjects({ categories, annotations });
  const sizes = { ignored: 0, meanWidth: 0, meanHeight: 0, meanInputWidth: 0, meanInputHeight: 0 };
  return categories
    .map(({ name }, i) => ({ name, images: counts[i]!, objects: counts[i]!, ...sizes }))
    .filter(({ images }) => all || images > 0);
}
