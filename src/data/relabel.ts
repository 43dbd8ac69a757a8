import { invariant } from '../errors.js';
import { findColumns } from '../categories/columns.js';
import type { Category, ClassIndex, Dataset } from './sample.js';

const namesOf = (categories: readonly Category[]): string[] => categories.map(({ name }) => name);

/** Renumbers a part's classes as indices into other categories, matched by name. Every category of the part must be
 *  among them. */
export function relabel(dataset: Dataset, categories: readonly Category[]): Dataset {
  const places = findColumns(namesOf(dataset.categories), namesOf(categories)) as ClassIndex[];
  invariant(!places.includes(-1 as ClassIndex), `${dataset.name} has categories of its own`);
  const idOf = new Map(dataset.categories.map(({ id }, i) => [id as number, categories[places[i]!]!.id as number]));
  return {
    ...dataset,
    categories,
    annotations: dataset.annotations.map((annotation) => {
      const classes = annotation.classes.map((index) => places[index]!);
      if (annotation.kind !== 'wholeImage') return { ...annotation, classes };
      return { ...annotation, classes, label: places[annotation.label]! };
    }),
    toCoco: () => {
      const { images, annotations } = dataset.toCoco();
      return {
        images,
        categories: categories.map(({ id, name }) => ({ id, name })),
        annotations: annotations.map((one) => ({ ...one, category_id: idOf.get(one.category_id)! })),
      };
    },
  };
}
