import { quoted } from '../errors.js';
import type { Findings } from '../data/findings.js';

export type Row = Readonly<Record<string, unknown>>;

/** The lists of an annotation file, as far as they are lists of objects. */
export interface Lists {
  readonly images: readonly Row[];
  readonly categories: readonly Row[];
  readonly annotations: readonly Row[];
}

/** The numbers that stand for the ids of a file. Undefined: its ids are numbers already. */
export interface Numbering {
  readonly images: ReadonlyMap<unknown, number> | undefined;
  readonly categories: ReadonlyMap<unknown, number> | undefined;
}

/** Numbers ids that are texts (those beyond 2^53 among them), since the evaluator knows numbers only. They are numbered
 *  in their order, on which the order of equal scores depends in pycocotools. Reports ids that occur twice. */
export function numberIds({ images, categories }: Lists, findings: Findings): Numbering {
  return {
    images: numbersOf(images, 'images', findings),
    categories: numbersOf(categories, 'categories', findings),
  };
}

function numbersOf(rows: readonly Row[], list: string, findings: Findings): Map<unknown, number> | undefined {
  if (rows.every(({ id }) => typeof id !== 'string')) return undefined;
  const seen = new Set<unknown>();
  rows.forEach(({ id }, i) => {
    if (seen.has(id))
      findings.problem({ code: 'E_COCO_DUPLICATE_ID', message: `${list}[${i}].id: id ${String(id)} occurs twice` });
    seen.add(id);
  });
  return new Map([...seen].sort(compareIds).map((id, i) => [id, i + 1]));
}

const isWhole = (id: unknown): boolean => /^-?\d+$/.test(String(id));

function compareIds(a: unknown, b: unknown): number {
  if (isWhole(a) && isWhole(b)) {
    const [first, second] = [BigInt(String(a)), BigInt(String(b))];
    return first < second ? -1 : first > second ? 1 : 0;
  }
  return String(a) < String(b) ? -1 : 1;
}

/** Puts numbers in the place of the ids to which rows refer. Reports ids that the annotation file does not have. `path`
 *  is the list's name. */
export function renumber(
  rows: readonly Row[],
  { images, categories }: Numbering,
  path: string,
  findings: Findings,
): readonly Row[] {
  if (!images && !categories) return rows;
  return rows.map((row, i) => ({
    ...row,
    ...(images && { image_id: numberOf(row, 'image_id', images, `${path}[${i}]`, findings) }),
    ...(categories && { category_id: numberOf(row, 'category_id', categories, `${path}[${i}]`, findings) }),
  }));
}

function numberOf(
  row: Row,
  field: 'image_id' | 'category_id',
  numbers: ReadonlyMap<unknown, number>,
  path: string,
  findings: Findings,
): number | undefined {
  const id = row[field];
  const number = numbers.get(id);
  if (number !== undefined) return number;
  const what = field === 'image_id' ? 'image' : 'category';
  const asText = typeof id === 'number' && numbers.has(String(id)) ? `, but one with the text "${id}"` : '';
  findings.problem({
    code: field === 'image_id' ? 'E_COCO_IMAGE_ID' : 'E_COCO_CATEGORY_ID',
    message: `${path}.${field}: the data set has no ${what} ${id === undefined ? 'without id' : quoted(id)}${asText}`,
  });
  return undefined;
}
