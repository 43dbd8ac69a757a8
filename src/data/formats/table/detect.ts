import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import type { PartName } from '../../sample.js';
import { counted, type Detect } from '../detect/detected.js';
import type { Listing } from '../detect/listing.js';
import { entriesInParts, partOf } from '../detect/parts.js';
import { isStudioTable } from '../labelStudio/detect.js';
import { boxColumns, type BoxColumns } from './columns.js';
import { labelColumns } from './labelColumns.js';
import { parseCsv, type Row } from './parseCsv.js';

const TABLE = /\.(?:csv|tsv|txt)$/i;

/** The whole rows of a sample, of which the last may be cut off. */
export const sampleRows = (text: string): Row[] => parseCsv(text.split('\n').slice(0, 200).join('\n'));

/** Tables of boxes: a row for each. */
export const detectBoxTable: Detect = async (listing) => {
  const found: { readonly file: string; readonly columns: BoxColumns }[] = [];
  for (const file of listing.files.filter((one) => TABLE.test(one)).slice(0, 500)) {
    const rows = sampleRows(await listing.sample(file));
    const columns = boxColumns(rows);
    if (columns) found.push({ file, columns });
  }
  const [first] = found;
  if (!first) return undefined;
  const why = `${counted(found.length, 'table')} ${found.length === 1 ? 'has' : 'have'} a box in each row (${first.columns.convention})`;
  const columnsOf = new Map(found.map(({ file, columns }) => [file, columns]));
  const partsIn = async (file: string): Promise<PartName[]> => {
    const { set, hasHead } = columnsOf.get(file)!;
    if (set === undefined) return [];
    const rows = parseCsv(await listing.text(file)).slice(hasHead ? 1 : 0);
    return rows.map(({ cells }) => partOf(cells[set] ?? '') ?? 'train');
  };
  return { certainty: 0.9, why, ...(await entriesInParts([...columnsOf.keys()], partsIn)) };
};

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
  const sets = new Map<string, number>();
  for (const file of listing.files
    .filter((one) => TABLE.test(one) && !/(?:^|\/)metadata\.csv$/i.test(one))
    .slice(0, 500)) {
    const text = await listing.sample(file);
    const rows = sampleRows(text);
    const columns = isStudioTable(text) ? undefined : labelColumns(rows);
    if (columns && !boxColumns(rows) && namesImages(rows.slice(1), columns.file, listing)) {
      found.push(file);
      if (columns.set !== undefined) sets.set(file, columns.set);
    }
  }
  if (found.length === 0) return undefined;
  const partsIn = async (file: string): Promise<PartName[]> => {
    const set = sets.get(file);
    if (set === undefined) return [];
    const rows = parseCsv(await listing.text(file)).slice(1);
    const parts = rows.flatMap(({ cells }) => partOf(cells[set] ?? '') ?? []);
    return parts.includes('train') ? parts : []; // a fold is a number
  };
  const inside = await entriesInParts(found, partsIn);
  const parts = Object.fromEntries(Object.entries(inside.parts).map(([part, files]) => [part, [files].flat()[0]]));
  const read = new Set(Object.values(parts));
  const unread = found.filter((file) => !read.has(file));
  return {
    certainty: 0.9,
    why: `${counted(found.length, 'table')} with a file and a label in each row`,
    parts,
    unread,
  };
};
