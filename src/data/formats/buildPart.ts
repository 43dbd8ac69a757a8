import { numberCategories, selectCategories } from '../categories.js';
import type { Findings } from '../findings.js';
import type { DropPolicies, ReadPart } from '../rawDataset.js';
import type { Category, Dataset } from '../sample.js';
import { buildBoxes } from './buildBoxes.js';

/** Makes the data set of one of the parts that were read. The names to learn are the wanted ones, or else all: those of
 *  the first part, which is the training part, if the files number them; otherwise those of any part, since a class may
 *  be missing from one. Throws E_DATA_CATEGORY for a wanted name that does not exist. */
export function buildPart(
  part: ReadPart,
  all: readonly ReadPart[],
  wanted: readonly string[] | undefined,
  findings: Findings,
  policies: DropPolicies,
): Dataset {
  return buildBoxes(part.name, categoriesOf(part, all, wanted), part.images, findings, policies);
}

function categoriesOf(part: ReadPart, all: readonly ReadPart[], wanted: readonly string[] | undefined): Category[] {
  const { categories, hasIds, place } = part;
  if (hasIds) {
    const known = all[0]!.categories;
    return selectCategories(categories, wanted ?? namesOf(known), { file: place, known });
  }
  const names = [...new Set(all.flatMap((one) => namesOf(one.categories)))].sort();
  const chosen = selectCategories(numberCategories(names), wanted, { file: place });
  return numberCategories(namesOf(chosen));
}

const namesOf = (categories: readonly Category[]): string[] => categories.map(({ name }) => name);
