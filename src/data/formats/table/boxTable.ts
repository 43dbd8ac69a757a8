import { basename, join } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import { listFiles } from '../detect/listing.js';
import { partOf } from '../detect/parts.js';
import { readLabelText } from '../records/readLabels.js';
import type { ImageRecord, ObjectRecord } from '../records/record.js';
import { recordFormat } from '../records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from '../records/textLayout.js';
import { toNumber } from '../textFile.js';
import { boxColumns, type BoxColumns } from './columns.js';
import { withDecimalPoints } from './decimalComma.js';
import { detectBoxTable } from './detect.js';
import { parseCsv, type Row } from './parseCsv.js';

/** Tables with a box in each row, in the columns of keras-retinanet, TensorFlow, Roboflow, VoTT, Google AutoML, Open Images,
 *  and others that name their columns. */
export const boxTable = recordFormat(
  'box-csv',
  detectBoxTable,
  textLayout((path) => /\.(?:csv|tsv|txt)$/i.test(path), readTable),
);

type TableImage = ImageRecord & { readonly objects: ObjectRecord[] };

interface TableContext extends LabelFile {
  readonly columns: BoxColumns;
  readonly unit: ObjectRecord['unit'];
  readonly named: (label: string) => string;
}

async function readTable(text: string, file: LabelFile): Promise<{ images: ImageRecord[] }> {
  const rows = parseCsv(text);
  const columns = boxColumns(rows);
  if (!columns)
    throw notOfLayout(
      file.file,
      `${basename(file.file)} has no columns of a file, a class and a box in its first line`,
    );
  const { hasHead, set } = columns;
  const cells = rows[0]!.cells.length;
  const numeric = columns.form === 'list' ? [] : columns.box;
  const own = withDecimalPoints(rows.slice(hasHead ? 1 : 0), numeric, file).filter(
    (row) => set === undefined || (partOf(row.cells[set] ?? '') ?? 'train') === file.part,
  );
  const boxes = own.map((row) => boxOf(row, columns));
  const shares = columns.isFraction ?? areShares(boxes);
  if (shares && columns.isFraction === undefined)
    file.findings.count(
      'box read as shares of its image, since no value of the table is above 1',
      undefined,
      own.length,
    );
  const names = columns.convention === 'Open Images' ? await descriptions(file.root) : undefined;
  const named = (label: string): string => {
    const name = names?.get(label);
    if (names && !name)
      file.findings.count('object of a class without a name in class-descriptions', () => ({
        message: label,
        where: { file: file.file },
      }));
    return name || label;
  };
  const context = { ...file, columns, unit: shares ? 'shares' : 'pixels', named } as const;
  const images = new Map<string, TableImage>();
  own.forEach((row, index) => {
    if (row.cells.length !== cells)
      file.wrong(
        `the row has ${row.cells.length} cells, the first one ${cells}: quote cells that contain a separator`,
        { file: file.file, line: row.line },
      );
    else readRow(row, boxes[index]!, context, images);
  });
  return { images: [...images.values()] };
}

/** The corners of a row: `empty` if no cell has a value, or a sentence that says what is wrong. */
function boxOf({ cells }: Row, { box, form }: BoxColumns): readonly number[] | 'empty' | { readonly wrong: string } {
  const texts =
    form === 'list'
      ? (cells[box[0]!] ?? '').replace(/^[\s[(]+|[\s\])]+$/g, '').split(/[\s,;]+/)
      : box.map((column) => cells[column]?.trim() ?? '');
  if (texts.every((text) => text === '')) return 'empty';
  const numbers = texts.map(toNumber);
  const bad = numbers.indexOf(undefined);
  if (bad >= 0) return { wrong: `"${texts[bad]!.slice(0, 30)}" is not a number` };
  if (numbers.length !== 4) return { wrong: `a box has 4 numbers, found ${numbers.length}` };
  const [a, b, c, d] = numbers as [number, number, number, number];
  if (form === 'corners') return [a, b, c, d];
  return form === 'centre' ? [a - c / 2, b - d / 2, a + c / 2, b + d / 2] : [a, b, a + c, b + d];
}

/** Whether all boxes of a table are shares of their images: no value is above 1, and there is one that no pixel has. */
function areShares(boxes: readonly ReturnType<typeof boxOf>[]): boolean {
  const numbers = boxes.flatMap((box) => (Array.isArray(box) ? (box as readonly number[]) : []));
  return numbers.length > 0 && numbers.every((value) => value <= 1.001) && numbers.some((value) => value % 1 !== 0);
}

function readRow(
  { cells, line }: Row,
  box: ReturnType<typeof boxOf>,
  { file, columns, unit, named, wrong, findings }: TableContext,
  images: Map<string, TableImage>,
): void {
  const where = { file, line };
  const cell = (column: number | undefined): string =>
    column === undefined ? '' : (cells[column]?.trim().normalize() ?? '');
  const name = cell(columns.file);
  if (name === '') {
    wrong('the row has no file', where);
    return;
  }
  const size = sizeIn(cell(columns.width), cell(columns.height));
  const record: TableImage = images.get(name) ?? {
    name,
    isStem: !IMAGE_EXTENSION.test(name),
    size,
    objects: [],
    where,
  };
  images.set(name, record);
  const label = cell(columns.label);
  if (box === 'empty') {
    if (label !== '' && columns.label !== undefined && columns.hasHead)
      findings.count('row with a class and no box, left out', () => ({ message: label, where }));
    return;
  }
  if ('wrong' in box) wrong(box.wrong, where);
  else if (columns.label !== undefined && label === '') wrong('the row has a box and no class', where);
  else if (Number(cell(columns.confidence) || '1') === 0)
    findings.count('row of confidence 0, left out', () => ({ message: label, where }));
  else {
    const category = columns.label === undefined ? 'object' : named(label);
    const mark = isTrue(cell(columns.group)) ? 'crowd' : isTrue(cell(columns.difficult)) ? 'ignore' : undefined;
    record.objects.push({
      category,
      form: 'box',
      points: box,
      unit,
      mark,
      where,
      subject: `the box of "${name}"`,
    });
  }
}

const isTrue = (text: string): boolean => /^(?:1|true|yes)$/i.test(text);

function sizeIn(width: string, height: string): ImageRecord['size'] {
  const [w, h] = [toNumber(width), toNumber(height)];
  return w !== undefined && h !== undefined && w > 0 && h > 0 ? { width: w, height: h } : undefined;
}

/** The names of Open Images' classes by their identifiers: those of class-descriptions*.csv in the data set, which
 *  FiftyOne calls classes.csv. */
async function descriptions(root: string): Promise<ReadonlyMap<string, string> | undefined> {
  const { files } = await listFiles(root);
  const path =
    files.find((file) => /class-descriptions[^/]*\.csv$/i.test(file)) ??
    files.find((file) => /(?:^|\/)classes\.csv$/i.test(file));
  if (path === undefined) return undefined;
  const file = join(root, path);
  const rows = parseCsv(await readLabelText(file));
  const names = new Map(rows.map(({ cells }) => [cells[0]?.trim() ?? '', cells[1]?.trim().normalize() ?? '']));
  const seen = new Map<string, string>();
  for (const [id, name] of names) {
    const before = seen.get(name);
    if (before !== undefined)
      throw new FinetuneError({
        code: 'E_LABEL_LAYOUT',
        message: `${before} and ${id} are both called "${name}"`,
        where: { file },
      });
    seen.set(name, id);
  }
  return names;
}
