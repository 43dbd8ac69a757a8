import { FinetuneError } from '../errors.js';
import type { Category, CategoryId } from './sample.js';

/** Selects the categories named in `wanted`, in that order; all of them if it is undefined. Throws E_DATA_CATEGORY with
 *  every unknown name. */
export function selectCategories(
  available: readonly Category[],
  wanted: readonly string[] | undefined,
  file: string,
): Category[] {
  if (!wanted) return [...available];
  const byName = new Map(available.map((category) => [category.name, category]));
  const unknown = wanted.filter((name) => !byName.has(name));
  if (unknown.length > 0) {
    const names = available.map(({ name }) => name).join(', ');
    throw new FinetuneError({
      code: 'E_DATA_CATEGORY',
      message: `there is no category ${unknown.map((name) => `"${name}"`).join(', ')}`,
      where: { file },
      fix: `the categories are: ${names}`,
    });
  }
  return wanted.map((name) => byName.get(name)!);
}

/** Numbers names 1…K, in that order: for formats that have no category ids. */
export const numberCategories = (names: readonly string[]): Category[] =>
  names.map((name, index) => ({ id: (index + 1) as CategoryId, name }));
