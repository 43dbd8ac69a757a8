import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import type { Findings } from './findings.js';
import type { RawImage, ReadPart } from './rawDataset.js';
import type { Category } from './sample.js';

/** Changes of the categories of a data set: others get the names of `map`, of which several may be the same, and those
 *  of `drop` are left out. */
export interface CategoryChanges {
  readonly map?: Readonly<Record<string, string>> | undefined;
  readonly drop?: readonly string[] | undefined;
}

/** Names to learn, or changes to all names. */
export type CategoryChoice = readonly string[] | CategoryChanges;

export const isChange = (choice: CategoryChoice | string | undefined): choice is CategoryChanges =>
  typeof choice === 'object' && !Array.isArray(choice);

/** What a name becomes; undefined if it is dropped. */
export function rename(name: string, { map = {}, drop = [] }: CategoryChanges): string | undefined {
  if (drop.includes(name)) return undefined;
  return Object.hasOwn(map, name) ? map[name] : name;
}

/** Throws E_DATA_CATEGORY if a changed name is in no part. */
export function assertKnown(names: Iterable<string>, { map = {}, drop = [] }: CategoryChanges, file: string): void {
  const known = [...new Set(names)];
  const unknown = [...Object.keys(map), ...drop].filter((name) => !known.includes(name));
  const [first] = unknown;
  if (first === undefined) return;
  throw new FinetuneError({
    code: 'E_DATA_CATEGORY',
    message: `there is no category ${unknown.map((name) => `"${name}"`).join(', ')} to change`,
    where: { file },
    fix: didYouMean(first, known) ?? `the categories are: ${known.join(', ')}`,
  });
}

/** The part with changed categories. Of categories that are joined, the first one's id stays. */
export function changePart(part: ReadPart, changes: CategoryChanges, findings: Findings): ReadPart {
  const byName = new Map<string, Category>();
  for (const { id, name } of part.categories) {
    const changed = rename(name, changes);
    if (changed !== undefined && !byName.has(changed)) byName.set(changed, { id, name: changed });
  }
  const change = (image: RawImage): RawImage => ({
    ...image,
    objects: image.objects.flatMap((object) => {
      const category = rename(object.category, changes);
      if (category !== undefined) return [{ ...object, category }];
      findings.count('object of a category that data.categories.drop names');
      return [];
    }),
  });
  return { ...part, categories: [...byName.values()], images: part.images.map(change) };
}
