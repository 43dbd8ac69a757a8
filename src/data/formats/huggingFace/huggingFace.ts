import { FinetuneError } from '../../../errors.js';
import { numberCategories } from '../../categories.js';
import { classFileFormat, type ClassRecord } from '../records/classRecords.js';
import { asText, isFields, numberList } from '../records/readLabels.js';
import type { ImageRecord, ObjectRecord, PartRecords } from '../records/record.js';
import { labelFiles, recordFormat, type RecordSource } from '../records/recordFormat.js';
import type { LabelFile } from '../records/textLayout.js';
import type { ClassNames } from './classNames.js';
import { detectHuggingFace, detectHuggingFaceClasses } from './detect.js';
import { readHubTable, type HubRow } from './rows.js';

const isTable = (path: string): boolean => /(?:^|[\\/])metadata\.(?:jsonl|csv)$|\.parquet$/i.test(path);

/** Hugging Face with boxes: an image folder with metadata.jsonl or metadata.csv, or parquet files with the images
 *  inside. A box is left, top, width and height in pixels, as in COCO. */
export const huggingFace = recordFormat('huggingface', detectHuggingFace, readBoxes);

/** Hugging Face with a label for each image. */
export const huggingFaceClasses = classFileFormat(detectHuggingFaceClasses, isTable, readClasses);

async function readBoxes(source: RecordSource): Promise<PartRecords> {
  const { root, part, findings } = source;
  const images: ImageRecord[] = [];
  let listed: ClassNames | undefined;
  for (const file of await labelFiles(source, isTable)) {
    const wrong: LabelFile['wrong'] = (message, where = { file }) =>
      findings.problem({ code: 'E_LABEL_ROW', message, where });
    const label: LabelFile = { file, root, part, findings, wrong };
    try {
      const { rows, names } = await readHubTable(label);
      listed ??= names;
      images.push(...rows.flatMap((row) => readRow(row, names, label) ?? []));
    } catch (error) {
      if (!(error instanceof FinetuneError)) throw error;
      findings.absorb(error);
    }
  }
  const used = new Set(images.flatMap(({ objects }) => objects.map(({ category }) => category)));
  const isListed = listed !== undefined && [...used].every((name) => listed.includes(name));
  return { images, ...(isListed && { categories: numberCategories([...new Set(listed)]) }) };
}

function readRow(row: HubRow, names: ClassNames | undefined, { wrong, findings }: LabelFile): ImageRecord | undefined {
  const { fields, columns, name, file, where, subject } = row;
  if (name === undefined) {
    wrong(`${subject} has no image`, where);
    return undefined;
  }
  const written = columns.objects === undefined ? undefined : fields[columns.objects];
  if (written === undefined || written === null)
    findings.count('image without "objects", which has no objects', () => ({ message: name, where }));
  const objects = objectsOf(parsed(written), parsed(columns.label === undefined ? undefined : fields[columns.label]));
  if (typeof objects === 'string') {
    wrong(`${subject}: ${objects}`, where);
    return undefined;
  }
  const records = objects.flatMap(({ box, label }, index): ObjectRecord[] => {
    const numbers = numberList(box);
    const category = className(label, names);
    const place = `object ${index} of ${subject === 'the row' ? `"${name}"` : subject}`;
    if (numbers?.length !== 4) wrong(`${place} has no "bbox" of four numbers`, where);
    else if (category === undefined) wrong(`${place} has no category`, where);
    else {
      const [x, y, w, h] = numbers as [number, number, number, number];
      return [{ category, form: 'box', points: [x, y, x + w, y + h], unit: 'pixels', where, subject: place }];
    }
    return [];
  });
  return { name, ...(file !== undefined && { file }), objects: records, where };
}

interface HubObject {
  readonly box: unknown;
  readonly label: unknown;
}

/** The objects of an image: a list of objects, an object of lists, or a list of boxes with its labels in another column.
 *  Returns a sentence that says what is wrong. */
function objectsOf(value: unknown, others: unknown): readonly HubObject[] | string {
  const BOXES = ['bbox', 'bboxes', 'boxes', 'box'];
  const LABELS = ['categories', 'category', 'labels', 'label', 'category_id', 'classes', 'class', 'class_labels'];
  const pick = (fields: Readonly<Record<string, unknown>>, keys: readonly string[]): unknown =>
    fields[keys.find((key) => fields[key] !== undefined) ?? ''];
  if (value === undefined || value === null) return [];
  const isBoxes = Array.isArray(value) && value.some((one) => Array.isArray(one));
  if (isBoxes) return objectsOf({ bbox: value, category: others }, undefined);
  if (Array.isArray(value))
    return value.every(isFields)
      ? value.map((one) => ({ box: pick(one, BOXES), label: pick(one, LABELS) }))
      : '"objects" has an entry that is no object';
  if (!isFields(value)) return '"objects" is neither a list nor an object of lists';
  const [boxes, labels] = [pick(value, BOXES), pick(value, LABELS)];
  if (boxes === undefined && Object.keys(value).length === 0) return [];
  if (!Array.isArray(boxes))
    return `"objects" has no list "bbox" among its keys (${Object.keys(value).slice(0, 8).join(', ')})`;
  if ((boxes.length > 0 || Array.isArray(labels)) && (!Array.isArray(labels) || labels.length !== boxes.length))
    return `"objects" has ${boxes.length} boxes and ${Array.isArray(labels) ? labels.length : 'no'} categories`;
  return boxes.map((box: unknown, i) => ({ box, label: (labels as readonly unknown[])[i] }));
}

/** The name of a class, which may stand as its number. */
function className(value: unknown, names: ClassNames | undefined): string | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && names) return names[number];
  return asText(number);
}

/** A value that is written as a text of JSON, or of Python, whose quotes are single ones. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  for (const text of [value, value.replace(PYTHON, asJson)])
    try {
      return JSON.parse(text);
    } catch {
      continue;
    }
  return value;
}

const PYTHON = /"(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'|\b(?:None|True|False)\b/g;

const asJson = (token: string, text: string | undefined): string =>
  text === undefined
    ? ({ None: 'null', True: 'true', False: 'false' }[token] ?? token)
    : `"${text.replace(/\\'/g, "'").replaceAll('"', '\\"')}"`;

async function readClasses(label: LabelFile): Promise<readonly ClassRecord[]> {
  const { rows, names } = await readHubTable(label);
  return rows.flatMap(({ fields, columns, name, file, where, subject }): ClassRecord[] => {
    const value = columns.label === undefined ? undefined : fields[columns.label];
    const category = className(value, names);
    if (name !== undefined && category !== undefined)
      return [{ name, label: category, where, ...(file !== undefined && { file }) }];
    label.wrong(`${subject} has no ${name === undefined ? 'image' : 'label'}`, where);
    return [];
  });
}
