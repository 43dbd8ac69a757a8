import { basename } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { jsonLines } from '../records/jsonLines.js';
import { readLabelText, isFields, type Fields } from '../records/readLabels.js';
import type { LabelFile } from '../records/textLayout.js';
import { unpackImage } from '../records/unpackImage.js';
import { parseCsv } from '../table/parseCsv.js';
import { namesInFeatures, namesInReadme, type ClassNames } from './classNames.js';
import { hubColumns, type HubColumns } from './columns.js';
import { openParquet } from './parquet.js';

/** A row of a data set of Hugging Face. */
export interface HubRow {
  readonly fields: Fields;
  readonly columns: HubColumns;
  /** The name of the image, and its file if it stood inside the table. */
  readonly name: string | undefined;
  readonly file?: string;
  readonly where: { readonly file: string; readonly line?: number };
  /** The row in the words of an error message. */
  readonly subject: string;
}

export interface HubTable {
  readonly rows: readonly HubRow[];
  readonly names: ClassNames | undefined;
}

/** Reads metadata.jsonl, metadata.csv or a parquet file. Problems go to the findings. Throws E_LABEL_FILE or
 *  E_LABEL_SYNTAX if it cannot be read at all. */
export async function readHubTable(label: LabelFile): Promise<HubTable> {
  const { file, root } = label;
  if (/\.parquet$/i.test(file)) return readParquet(label);
  const text = await readLabelText(file);
  const rows = /\.csv$/i.test(file) ? csvRows(text, file) : jsonRows(text, label);
  return { rows, names: await namesInReadme(root) };
}

function csvRows(text: string, file: string): HubRow[] {
  const [head, ...rows] = parseCsv(text);
  const heads = head?.cells.map((cell) => cell.trim()) ?? [];
  const columns = hubColumns(heads);
  return rows.map(({ cells, line }) => {
    const fields = Object.fromEntries(heads.map((name, i) => [name, cells[i]]));
    return { fields, columns, name: nameIn(fields, columns), where: { file, line }, subject: 'the row' };
  });
}

function jsonRows(text: string, label: LabelFile): HubRow[] {
  return jsonLines(text, label).map(({ fields, where }) => {
    const columns = hubColumns(Object.keys(fields));
    return { fields, columns, name: nameIn(fields, columns), where, subject: 'the row' };
  });
}

const nameIn = (fields: Fields, { file }: HubColumns): string | undefined => {
  const name = file === undefined ? undefined : fields[file];
  return typeof name === 'string' && name.trim() !== '' ? name : undefined;
};

/** Rows that are read at once: each may hold an image. */
const AT_ONCE = 64;

async function readParquet(label: LabelFile): Promise<HubTable> {
  const { file } = label;
  const table = await openParquet(file);
  const columns = hubColumns(table.columns);
  const { objects, label: classes } = columns;
  const image = ['image', 'img', 'picture', columns.file].find(
    (name) => name !== undefined && table.columns.includes(name),
  );
  if (image === undefined)
    throw new FinetuneError({
      code: 'E_LABEL_LAYOUT',
      message: `there is no column "image" among ${table.columns.join(', ')}`,
      where: { file },
    });
  const wanted = [image, objects, classes].filter((name) => name !== undefined);
  const rows: HubRow[] = [];
  for await (const some of table.read(AT_ONCE, [...new Set(wanted)]))
    for (const fields of some) rows.push(await parquetRow(fields, image, columns, rows.length, label));
  const about = table.about === undefined ? undefined : safeJson(table.about);
  return { rows, names: namesInFeatures(about, objects ?? classes) ?? (await namesInReadme(label.root)) };
}

/** A row whose image is a text, or an object with bytes and a path. */
async function parquetRow(
  fields: Fields,
  image: string,
  columns: HubColumns,
  index: number,
  { file }: LabelFile,
): Promise<HubRow> {
  const cell = fields[image];
  const base = { fields, columns, where: { file }, subject: `row ${index}` };
  if (typeof cell === 'string') return { ...base, name: cell };
  const { bytes, path } = isFields(cell) ? cell : {};
  const name = typeof path === 'string' && path !== '' ? path : `${index}`;
  const unpacked =
    bytes instanceof Uint8Array ? await unpackImage(() => Promise.resolve(bytes), `${file}\n${index}`) : undefined;
  if (unpacked !== undefined) return { ...base, name: `${name} in row ${index} of ${basename(file)}`, file: unpacked };
  return { ...base, name: typeof path === 'string' && path !== '' ? path : undefined };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // without its names, classes are called by their numbers
  }
}
