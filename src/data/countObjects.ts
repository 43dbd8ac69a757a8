import type { Dataset } from './sample.js';

/** How often each category occurs in a part, as a box or as an image's class; of boxes that are not to be learnt none. */
export function countObjects({ categories, annotations }: Pick<Dataset, 'categories' | 'annotations'>): number[] {
  const counts = categories.map(() => 0);
  for (const { classes, ignore, label } of annotations) {
    for (const [i, classIndex] of classes.entries()) if (!ignore[i]) counts[classIndex]!++;
    if (label !== undefined) counts[label]!++;
  }
  return counts;
}
