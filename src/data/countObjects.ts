import type { Annotation, ClassIndex, Dataset } from './sample.js';

/** The classes to learn on an image: of each object that is not ignored, or of the image as a whole. */
export const learnedClasses = (annotation: Annotation): readonly ClassIndex[] =>
  annotation.kind === 'wholeImage' ? [annotation.label] : annotation.classes.filter((_, i) => !annotation.ignore[i]);

/** Counts how often each category occurs in a part, as a box or as an image's class. Ignored boxes do not count. */
export function countObjects({ categories, annotations }: Pick<Dataset, 'categories' | 'annotations'>): number[] {
  const counts = categories.map(() => 0);
  for (const annotation of annotations) for (const classIndex of learnedClasses(annotation)) counts[classIndex]!++;
  return counts;
}
