import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import type { PartName } from '../../sample.js';
import { counted, type Detect } from '../detect/detected.js';
import type { Listing } from '../detect/listing.js';
import { partOf, placesOf, splitByPart, type Split } from '../detect/parts.js';
import { boxColumns, type BoxColumns } from './columns.js';
import { labelColumns } from './labelColumns.js';
import { parseCsv, type Row } from './parseCsv.js';

const TABLE = /\.(?:csv|tsv|txt)$/i;

/** The whole rows of a sample, of which the last may be cut off. */
export const sampleRows = (text: string): Row[] => parseCsv(text.split('\n').slice(0, 200).join('\n'));

/** Tables of boxes: a row for each. */
export const detectBoxTable: Detect = async (listing) => {
  const found: { readonly file: string; readonly columns: BoxColumns; readonly rows: readonly Row[] }[] = [];
  for (const file of listing.files.filter((one) => TABLE.test(one)).slice(0, 500)) {
    const rows = sampleRows(await listing.sample(file));
    const columns = boxColumns(rows);
    if (columns) found.push({ file, columns, rows });
  }
  const [first] = found;
  if (!first) return undefined;
  const why = `${counted(found.length, 'table')} ${found.length === 1 ? 'has' : 'have'} a box in each row (${first.columns.convention})`;
  const parts =
    partsInside(first.rows, first.columns, first.file) ?? placesOf(splitByPart(found.map(({ file }) => file)));
  return { certainty: 0.9, why, parts };
};

/** The parts of a table that says in each row to which part it belongs. */
function partsInside(
  rows: readonly Row[],
  { set, hasHead }: BoxColumns,
  file: string,
): Partial<Record<PartName, unknown>> | undefined {
  if (set === undefined) return undefined;
  const parts = new Set(rows.slice(hasHead ? 1 : 0).map(({ cells }) => partOf(cells[set] ?? '') ?? 'train'));
  return Object.fromEntries([...parts].map((part) => [part, file]));
}

/** Whether a column has names of images: with their extensions, or else of images that exist. A table of classes may have
 *  numbers there. */
function namesImages(rows: readonly Row[], column: number, { images }: Listing): boolean {
  const names = rows.map(({ cells }) => stemOf(cells[column]?.trim() ?? ''));
  if (rows.some(({ cells }) => IMAGE_EXTENSION.test(cells[column] ?? ''))) return true;
  const stems = new Set(images.map(stemOf));
  return names.some((name) => stems.has(name));
}

const stemOf = (path: string): string =>
  path
    .replace(/^.*[\\/]/s, '')
    .replace(IMAGE_EXTENSION, '')
    .normalize()
    .toLowerCase();

/** A table with a file and a label in each row. */
export const detectLabelTable: Detect = async (listing) => {
  const found: string[] = [];
  for (const file of listing.files
    .filter((one) => TABLE.test(one) && !/(?:^|\/)metadata\.csv$/i.test(one))
    .slice(0, 500)) {
    const rows = sampleRows(await listing.sample(file));
    const columns = labelColumns(rows);
    if (columns && !boxColumns(rows) && namesImages(rows.slice(1), columns.file, listing)) found.push(file);
  }
  if (found.length === 0) return undefined;
  const split: Split<string> = splitByPart(found);
  const parts = Object.fromEntries(Object.entries(split).map(([part, [file]]) => [part, file!]));
  return { certainty: 0.9, why: `${counted(found.length, 'table')} with a file and a label in each row`, parts };
};
