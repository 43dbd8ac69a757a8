import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FinetuneError, type Where } from '../../errors.js';
import type { Findings } from '../findings.js';
import { findImages, type Found } from '../image/findImages.js';
import { listFolder } from '../image/imageFiles.js';
import { reportImages } from '../image/reportImages.js';
import { decodeText } from './decodeText.js';
import { parseCsv } from './table/parseCsv.js';
import type { LabelledImage, LabelledPart } from './labelledDataset.js';
import {
  HELD_OUT,
  labelledFormat,
  type LabelledLayout,
  type LabelledPlaces,
  type ReadPartOptions,
} from './labelledFormat.js';

/** A table of images: a line `file,label`, then one for each image. */
export const csv = labelledFormat<'csv'>({ findParts, readPart: readLabelCsv });

const FILE_HEADS = ['file', 'filename', 'file_name', 'path', 'filepath', 'image', 'image_path'];
const LABEL_HEADS = ['label', 'class', 'category', 'class_name'];

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
  { brokenImages, findings }: ReadPartOptions,
): Promise<LabelledPart> {
  const place = resolve(root, name);
  const bytes = await readFile(place).catch(async (error: unknown) => {
    const tables = [...(await listFolder(root))].filter((entry) => /\.(csv|tsv|txt)$/i.test(entry));
    const fix = `set data.train or data.val to one of: ${tables.join(', ') || '(no .csv in data.root)'}`;
    const { code } = error as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? 'no such file' : `cannot be read (${code ?? String(error)})`;
    throw new FinetuneError({ code: 'E_CSV_FILE', message, where: { file: place }, fix }, { cause: error });
  });
  const [head, ...rows] = parseCsv(decodeText(bytes, place));
  const cells = head?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const [fileColumn, labelColumn] = [columnOf(cells, FILE_HEADS), columnOf(cells, LABEL_HEADS)];
  if (fileColumn < 0 || labelColumn < 0) {
    throw new FinetuneError({
      code: 'E_CSV_HEAD',
      message: `the first line must name the columns "file" and "label"; it is "${head?.cells.join(',') ?? ''}"`,
      where: { file: place, line: 1 },
      fix: 'write "file,label" above the rows',
    });
  }
  const seen = new Map<string, { readonly label: string; readonly line: number }>();
  const listed: Omit<LabelledImage, 'file'>[] = [];
  for (const { cells: row, line } of rows) {
    const where: Where = { file: place, line };
    const file = row[fileColumn]?.trim() ?? '';
    const label = row[labelColumn]?.trim().normalize() ?? '';
    const before = seen.get(file);
    const wrong = (message: string) => findings.problem({ code: 'E_CSV_ROW', message, where });
    if (row.length !== cells.length)
      wrong(`the row has ${row.length} cells, the header ${cells.length}: quote cells that contain a separator`);
    else if (file === '' || label === '') wrong(`the ${file === '' ? 'file' : 'label'} is empty`);
    else if (before && before.label !== label)
      wrong(`"${file}" is "${label}" here and "${before.label}" on line ${before.line}: an image has one class`);
    else if (before) findings.count('image listed twice', () => ({ message: `"${file}" again`, where }));
    else {
      seen.set(file, { label, line });
      listed.push({ name: file, label, where });
    }
  }
  const folder = resolve(root);
  const found = await findImages(seen.keys(), { folder, others: [dirname(place)] });
  const whereOf = (file: string): Where => ({ file: place, line: seen.get(file)!.line });
  await reportImages(found, { folder, root: folder, brokenImages, whereOf }, findings);
  const images = oneOfEachFile(listed, found, findings);
  const classes = [...new Set(listed.map(({ label }) => label))].sort();
  return { name: name.replace(/\.[^.]+$/, ''), classes, images, place };
}

/** The images that were found. Two names of one file are like two rows of one name. */
function oneOfEachFile(
  listed: readonly Omit<LabelledImage, 'file'>[],
  found: ReadonlyMap<string, Found>,
  findings: Findings,
): LabelledImage[] {
  const byFile = new Map<string, LabelledImage>();
  for (const row of listed) {
    const { file } = found.get(row.name)!;
    if (file === undefined) continue;
    const { where, name, label } = row;
    const before = byFile.get(file);
    if (!before) byFile.set(file, { ...row, file });
    else if (before.label === label)
      findings.count('image listed twice', () => ({ message: `"${name}" again`, where }));
    else {
      const message = `"${name}" is "${label}" here and "${before.label}" on line ${before.where.line!}: an image has one class`;
      findings.problem({ code: 'E_CSV_ROW', message, where });
    }
  }
  return [...byFile.values()];
}

const columnOf = (cells: readonly string[], heads: readonly string[]): number =>
  cells.findIndex((cell) => heads.includes(cell));
