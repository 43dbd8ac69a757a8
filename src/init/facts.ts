import type { Dataset, Dropped, PartName } from '../data/sample.js';
import { learnedClasses } from '../data/countObjects.js';
import type { RecipeData } from '../run/recipeData.js';

/** A data set in the numbers that the settings of a recipe depend on. */
export interface DataFacts {
  /** Images of each part. */
  readonly parts: Partial<Readonly<Record<PartName, number>>>;
  /** Classes of all parts with the number of their objects (of images, for a classifier), in the model's order. */
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  readonly objects: number;
  /** Median width and height of the images. */
  readonly imageSize: readonly [width: number, height: number];
  /** Whether all images have that size. */
  readonly isOneSize: boolean;
  /** Root of the area of the objects in pixels of their images: 10 %, 50 % and 90 % of them are smaller. Absent without
   *  boxes. */
  readonly objectSides?: readonly [number, number, number] | undefined;
  /** What is left out or corrected, by reason. */
  readonly dropped: Dropped;
}

export function factsOf({ train, val, test, categories }: RecipeData): DataFacts {
  const parts = { train, val, ...(test && { test }) };
  const all = Object.values(parts).flatMap(({ annotations }: Dataset) => annotations);
  const counts = categories.map(() => 0);
  const sides: number[] = [];
  for (const annotation of all) {
    const classes = annotation.kind === 'wholeImage' ? [annotation.label] : learnedClasses(annotation);
    for (const index of classes) counts[index] = (counts[index] ?? 0) + 1;
    annotation.ignore.forEach((ignored, row) => {
      const [x1, y1, x2, y2] = annotation.boxes.subarray(4 * row, 4 * row + 4) as Iterable<number>;
      if (!ignored) sides.push(Math.sqrt((x2! - x1!) * (y2! - y1!)));
    });
  }
  const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
  const quantile = (values: readonly number[], share: number): number =>
    values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0;
  const widths = sorted(all.map(({ width }) => width));
  const heights = sorted(all.map(({ height }) => height));
  const same = (values: readonly number[]): boolean => values[0] === values.at(-1);
  sorted(sides);
  const dropped: Record<string, number> = {};
  for (const { dropped: own } of Object.values(parts))
    for (const [reason, count] of Object.entries(own)) dropped[reason] = (dropped[reason] ?? 0) + count;
  return {
    parts: Object.fromEntries(Object.entries(parts).map(([part, { annotations }]) => [part, annotations.length])),
    classes: categories.map(({ name }, i) => ({ name, count: counts[i]! })),
    objects: counts.reduce((sum, count) => sum + count, 0),
    imageSize: [quantile(widths, 0.5), quantile(heights, 0.5)],
    isOneSize: same(widths) && same(heights),
    ...(sides.length > 0 && { objectSides: [quantile(sides, 0.1), quantile(sides, 0.5), quantile(sides, 0.9)] }),
    dropped,
  };
}
