import type { BoxCheck, CategoryStats } from './boxes.js';
import type { Say } from './remark.js';
import type { PartName } from '../sample.js';

/** Numbers of objects below which a category can hardly be learned, or hardly be scored. */
const FEW_TRAIN = 20;
const FEW_VAL = 5;
/** Ratio of the objects of two categories above which the rarer one will hardly be predicted. */
const IMBALANCE = 50;

/** Report what is suspicious about the categories to learn in one part. */
export function checkCategories(
  part: PartName,
  stats: readonly CategoryStats[],
  say: Say,
  noun: 'object' | 'image' = 'object',
): void {
  const few = part === 'train' ? FEW_TRAIN : FEW_VAL;
  const consequence = part === 'train' ? 'it cannot be learned' : 'it cannot be scored';
  for (const { name, objects } of stats) {
    if (objects === 0)
      say({
        level: 'warning',
        part,
        code: 'W_CATEGORY_EMPTY',
        message: `no ${noun} of "${name}" in ${part}: ${consequence}`,
      });
    else if (objects < few)
      say({
        level: 'warning',
        part,
        code: 'W_CATEGORY_FEW',
        message: `only ${objects} ${noun}${objects === 1 ? '' : 's'} of "${name}" in ${part}`,
      });
  }
  if (part !== 'train') return;
  const present = stats.filter(({ objects }) => objects > 0).sort((a, b) => a.objects - b.objects);
  const [rarest, commonest] = [present[0], present.at(-1)];
  if (rarest && commonest && commonest.objects > IMBALANCE * rarest.objects)
    say({
      level: 'warning',
      part,
      code: 'W_CATEGORY_IMBALANCE',
      message: `${commonest.objects} ${noun}s of "${commonest.name}", ${rarest.objects} of "${rarest.name}"`,
      fix: 'add images of the rare categories, or leave them out with data.categories',
    });
}

/** Report names of objects that occur but are not learned, and names that differ only in spelling. */
export function checkNames(
  learned: readonly string[],
  boxes: ReadonlyMap<PartName, BoxCheck>,
  chosen: boolean,
  say: Say,
): void {
  for (const [part, { named }] of boxes)
    for (const [name, count] of named) {
      if (learned.includes(name)) continue;
      say({
        level: chosen ? 'note' : 'warning',
        part,
        code: 'W_CATEGORY_UNLEARNED',
        message: `${count} objects of "${name}" in ${part} are left out: the category is not learned`,
        ...(chosen
          ? {}
          : { fix: 'only the categories of the training part are learned; choose others with data.categories' }),
      });
    }
  const all = [...new Set([...learned, ...[...boxes.values()].flatMap(({ named }) => [...named.keys()])])];
  const written = new Map<string, string>();
  for (const name of all) {
    if (name.includes('\ufffd'))
      say({
        level: 'warning',
        code: 'W_CATEGORY_LOST',
        message: `the category "${name}" holds a replacement character: its name was lost when the file was converted, and several names may have become this one`,
        fix: 'make the file again from the original, as UTF-8',
      });
    const plain = name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s_-]+/g, '');
    const other = written.get(plain);
    if (other === undefined) written.set(plain, name);
    else
      say({
        level: 'warning',
        code: 'W_CATEGORY_ALIKE',
        message: `the categories "${other}" and "${name}" differ only in spelling`,
        fix: 'use one spelling, unless these are two categories',
      });
  }
}
