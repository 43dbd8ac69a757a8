import { COCO_CATEGORIES } from '../../../categories/coco.js';

/** The package names the class of column i after COCO's category with the id i + 1, and fails for ids that COCO has not. */

/** Most classes that a model for the package can have. */
export const MOST_CLASSES = COCO_CATEGORIES.length;

export interface ClassColumns {
  /** Number of columns of the scores. */
  readonly columns: number;
  /** The column of each class. */
  readonly columnOf: readonly number[];
  /** Our name for each name that the package gives. */
  readonly names: Readonly<Record<string, string>>;
}

/** Gives each class the column of COCO's category with its name, and the others the first columns that are left. */
export function placeClasses(classNames: readonly string[]): ClassColumns {
  const named = classNames.map((name) => COCO_CATEGORIES.find((category) => category.name === name));
  const taken = new Set(named);
  const free = COCO_CATEGORIES.filter((category) => !taken.has(category));
  const places = named.map((category) => category ?? free.shift()!);
  return {
    columns: Math.max(...places.map(({ id }) => id)),
    columnOf: places.map(({ id }) => id - 1),
    names: Object.fromEntries(places.map(({ name }, i) => [name, classNames[i]!])),
  };
}
