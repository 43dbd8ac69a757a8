import { FinetuneError } from '../errors.js';
import type { Category, CategoryId } from './sample.js';

/** Selects the categories named in `wanted`, in that order; all of them if it is undefined. A part may lack some of the
 *  categories that the training part has (`known`), if it has no others: they get the training part's ids, or free ones.
 *  Throws E_DATA_CATEGORY with every unknown name. */
export function selectCategories(
  available: readonly Category[],
  wanted: readonly string[] | undefined,
  { file, known = [] }: { readonly file: string; readonly known?: readonly Category[] },
): Category[] {
  if (!wanted) return [...available];
  const byName = new Map(available.map((category) => [category.name, category]));
  const knownIds = new Map(known.map(({ id, name }) => [name, id]));
  const isPartOfKnown = available.every(({ name }) => knownIds.has(name));
  const absent = wanted.filter((name) => !byName.has(name));
  const unknown = isPartOfKnown ? absent.filter((name) => !knownIds.has(name)) : absent;
  if (unknown.length > 0) {
    const names = available.map(({ name }) => name).join(', ');
    throw new FinetuneError({
      code: 'E_DATA_CATEGORY',
      message: `there is no category ${unknown.map((name) => `"${name}"`).join(', ')}`,
      where: { file },
      fix: `the categories are: ${names}`,
    });
  }
  const used = new Set<number>(available.map(({ id }) => id));
  const idFor = (name: string): CategoryId => {
    let id: number = knownIds.get(name)!;
    while (used.has(id)) id++;
    used.add(id);
    return id as CategoryId;
  };
  return wanted.map((name) => byName.get(name) ?? { id: idFor(name), name });
}

/** Numbers names 1…K, in that order: for formats that have no category ids. */
export const numberCategories = (names: readonly string[]): Category[] =>
  names.map((name, index) => ({ id: (index + 1) as CategoryId, name }));
