import type { PartName } from '../../sample.js';
import { counted, type Detect } from '../detect/detected.js';
import { partOf, placesOf, splitByPart, type Split } from '../detect/parts.js';
import { boxColumns, type BoxColumns } from './columns.js';
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

const FILE_HEADS = ['file', 'filename', 'file_name', 'path', 'filepath', 'image', 'image_path'];
const LABEL_HEADS = ['label', 'class', 'category', 'class_name'];

/** A table with a file and a label in each row. */
export const detectLabelTable: Detect = async (listing) => {
  const found: string[] = [];
  for (const file of listing.files
    .filter((one) => TABLE.test(one) && !/(?:^|\/)metadata\.csv$/i.test(one))
    .slice(0, 500)) {
    const rows = sampleRows(await listing.sample(file));
    const heads = rows[0]?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
    const has = (names: readonly string[]): boolean => names.some((name) => heads.includes(name));
    if (has(FILE_HEADS) && has(LABEL_HEADS) && !boxColumns(rows)) found.push(file);
  }
  if (found.length === 0) return undefined;
  const split: Split<string> = splitByPart(found);
  const parts = Object.fromEntries(Object.entries(split).map(([part, [file]]) => [part, file!]));
  return { certainty: 0.9, why: `${counted(found.length, 'table')} with a file and a label in each row`, parts };
};
