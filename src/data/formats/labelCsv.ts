import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError, type Where } from '../../errors.js';
import { IMAGE_EXTENSION, listFolder } from '../image/imageFiles.js';
import { decodeText } from './decodeText.js';
import { partOf } from './detect/parts.js';
import type { LabelledPart } from './labelledDataset.js';
import { labelledPart, type ClassRecord } from './records/classRecords.js';
import { labelColumns } from './table/labelColumns.js';
import { parseCsv } from './table/parseCsv.js';
import {
  HELD_OUT,
  labelledFormat,
  type LabelledLayout,
  type LabelledPlaces,
  type ReadPartOptions,
} from './labelledFormat.js';

/** A table of images: a line `file,label`, then one for each image. */
export const csv = labelledFormat<'csv'>({ findParts, readPart: readLabelCsv });

/** The tables that the options name, or train.csv and, if there is one, val.csv. Throws E_FOLDER_ROOT if there is no
 *  folder `root`. */
async function findParts({
  root,
  train = 'train.csv',
  val,
  test,
}: Parameters<LabelledLayout['findParts']>[0]): Promise<LabelledPlaces> {
  const folder = await stat(root).catch(() => undefined);
  if (!folder?.isDirectory()) {
    const problem = {
      code: 'E_FOLDER_ROOT',
      message: 'no such folder',
      where: { file: root },
      fix: 'set data.root',
    } as const;
    throw new FinetuneError(problem);
  }
  const table = await stat(join(root, 'val.csv')).catch(() => undefined);
  return { train, val: val ?? (table?.isFile() ? 'val.csv' : HELD_OUT), test };
}

/** Reads a table of images: a header line with a column `file` and a column `label` (or another usual name), then a
 *  line for each image. Separators are commas, semicolons or tabs; quotes are as in RFC 4180. Files are relative to
 *  `root`. Problems go to `findings`.
 *  Throws E_CSV_FILE if it cannot be read, E_ENCODING if it is no text, E_CSV_HEAD if a column is missing. */
async function readLabelCsv(
  root: string,
  name: string,
  { brokenImages, findings, part, isShared }: ReadPartOptions,
): Promise<LabelledPart> {
  const place = resolve(root, name);
  const bytes = await readFile(place).catch(async (error: unknown) => {
    const tables = [...(await listFolder(root))].filter((entry) => /\.(csv|tsv|txt)$/i.test(entry));
    const fix = `set data.train or data.val to one of: ${tables.join(', ') || '(no .csv in data.root)'}`;
    const { code } = error as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? 'no such file' : `cannot be read (${code ?? String(error)})`;
    throw new FinetuneError({ code: 'E_CSV_FILE', message, where: { file: place }, fix }, { cause: error });
  });
  const table = parseCsv(decodeText(bytes, place));
  const [head, ...rows] = table;
  const cells = head?.cells ?? [];
  const columns = labelColumns(table);
  if (!columns) {
    throw new FinetuneError({
      code: 'E_CSV_HEAD',
      message: `the first line must name the columns "file" and "label"; it is "${cells.join(',')}"`,
      where: { file: place, line: 1 },
      fix: 'write "file,label" above the rows',
    });
  }
  const seen = new Map<string, { readonly label: string; readonly line: number }>();
  const listed: ClassRecord[] = [];
  for (const { cells: row, line } of rows) {
    if (isShared && columns.set !== undefined && (partOf(row[columns.set] ?? '') ?? 'train') !== part) continue;
    const where: Where = { file: place, line };
    const file = row[columns.file]?.trim() ?? '';
    const found = columns.labelOf(row);
    const label = 'label' in found ? found.label : '';
    const before = seen.get(file);
    const wrong = (message: string, fix?: string) =>
      findings.problem({ code: 'E_CSV_ROW', message, where, ...(fix !== undefined && { fix }) });
    if (row.length !== cells.length)
      wrong(`the row has ${row.length} cells, the header ${cells.length}: quote cells that contain a separator`);
    else if ('wrong' in found)
      wrong(
        found.wrong,
        'keep the most important class of each image, or draw boxes: several labels for an image are not learned',
      );
    else if (file === '' || label === '') wrong(`the ${file === '' ? 'file' : 'label'} is empty`);
    else if (before && before.label !== label)
      wrong(`"${file}" is "${label}" here and "${before.label}" on line ${before.line}: an image has one class`);
    else if (before) findings.count('image listed twice', () => ({ message: `"${file}" again`, where }));
    else {
      seen.set(file, { label, line });
      listed.push({ name: file, isStem: !IMAGE_EXTENSION.test(file), label, where });
    }
  }
  return labelledPart(listed, { root: resolve(root), part, place, brokenImages, findings });
}
