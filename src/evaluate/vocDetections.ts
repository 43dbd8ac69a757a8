import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createFindings, type Findings } from '../data/findings.js';
import { FinetuneError, type Problem, quoted } from '../errors.js';
import { readScoreFile } from './readScoreFile.js';
import { readLines, toNumber } from '../data/formats/textFile.js';
import type { InclusiveCorners } from '../data/formats/vocXml.js';

export interface VocDetection {
  /** Stem of the image's file. */
  readonly stem: string;
  readonly category: string;
  /** 1-based and inclusive, as in the annotations; fractions are allowed. */
  readonly corners: InclusiveCorners;
  readonly score: number;
}

/** The images and classes that detections may refer to. */
export interface KnownVoc {
  readonly split: string;
  readonly stems: readonly string[];
  readonly classes: readonly string[];
  /** Names in the order of category_id 1, 2, …; only called if a detection has a category_id and no name. */
  readonly numbered: () => Promise<readonly string[]>;
}

export interface VocDetections {
  readonly detections: readonly VocDetection[];
  readonly notes: readonly string[];
}

/** Maximum size of a file: about a million detections, 200 for each image of the 2007 test part. A larger JSON file is
 *  read in pieces; a larger comp4 file, which has only one class, is refused. */
const MAX_BYTES = 128 * 2 ** 20;

/** Read detections: a JSON list, or a folder of comp4_det_<split>_<class>.txt as in the devkit. A JSON box [x, y, w, h]
 *  is 0-based and ends before x + w: in 1-based inclusive pixels it is x1 = x + 1, x2 = x + w.
 *  Throws all problems at once: E_VOC_FILE, _LIMIT, _LINE, _DETECTION, _IMAGE_ID, _CATEGORY, E_COCO_JSON, E_ENCODING. */
export async function readVocDetections(path: string, known: KnownVoc): Promise<VocDetections> {
  const entry = await stat(path).catch((error: unknown) => {
    const problem = { code: 'E_VOC_FILE' as const, message: 'there is no such file or folder', where: { file: path } };
    throw new FinetuneError(problem, { cause: error });
  });
  const findings = createFindings();
  const result = entry.isDirectory()
    ? await readComp4(path, known, findings)
    : await readJsonList(path, known, findings);
  findings.throwIfAny();
  return result;
}

/** Reads a file. Throws E_VOC_LIMIT if it is larger than MAX_BYTES. */
async function readBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size <= MAX_BYTES) return await handle.readFile();
    const message = `${Math.ceil(size / 2 ** 20)} MB of detections of one class; at most ${MAX_BYTES / 2 ** 20} MB can be read`;
    const fix = 'keep the best 100 detections of an image';
    throw new FinetuneError({ code: 'E_VOC_LIMIT', message, where: { file }, fix });
  } finally {
    await handle.close();
  }
}

async function readComp4(folder: string, known: KnownVoc, findings: Findings): Promise<VocDetections> {
  const stems = new Set(known.stems);
  const prefix = new RegExp(`^comp\\d+(?:-\\w+)?_det_${escape(known.split)}_(.+)\\.txt$`);
  const names = (await readdir(folder)).sort();
  const files = names.flatMap((name) => {
    const category = prefix.exec(name)?.[1];
    return category === undefined ? [] : [{ file: join(folder, name), category }];
  });
  if (files.length === 0) {
    const message = `there is no comp4_det_${known.split}_<class>.txt`;
    throw new FinetuneError({ code: 'E_VOC_FILE', message, where: { file: folder } });
  }
  const detections: VocDetection[] = [];
  const strange = files.filter(({ category }) => !known.classes.includes(category)).map(({ category }) => category);
  for (const { file, category } of files) {
    readLines(await readBytes(file), file).forEach((text, i) => {
      if (text.trim() === '') return;
      const where = { file, line: i + 1 };
      const [stem, ...rest] = text.trim().split(/\s+/);
      const [score, xmin, ymin, xmax, ymax] = rest.map(toNumber);
      const fail = (code: Problem['code'], message: string) => findings.problem({ code, message, where });
      if (
        rest.length !== 5 ||
        score === undefined ||
        xmin === undefined ||
        ymin === undefined ||
        xmax === undefined ||
        ymax === undefined
      )
        fail('E_VOC_LINE', 'expected an image and five numbers: score xmin ymin xmax ymax');
      else if (!stems.has(stem!)) fail('E_VOC_IMAGE_ID', `image "${stem!}" is not in the split`);
      else if (xmax < xmin || ymax < ymin)
        fail('E_VOC_LINE', `the box [${xmin}, ${ymin}, ${xmax}, ${ymax}] ends before it begins`);
      else detections.push({ stem: stem!, category, score, corners: [xmin, ymin, xmax, ymax] });
    });
  }
  return { detections, notes: unknownClasses(strange) };
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const unknownClasses = (names: readonly string[]): string[] => {
  const several = [...new Set(names)];
  if (several.length === 0) return [];
  return [`detections of ${several.map((name) => `"${name}"`).join(', ')} are left out: the split has no such object`];
};

async function readJsonList(file: string, known: KnownVoc, findings: Findings): Promise<VocDetections> {
  const parsed = await readScoreFile(file, MAX_BYTES);
  if (!Array.isArray(parsed)) {
    const message = `${basename(file)} is not a list of detections`;
    const fix =
      'the file must look like [{"image_id": "000001", "category": "dog", "bbox": [x, y, w, h], "score": 0.9}, …]';
    throw new FinetuneError({ code: 'E_VOC_DETECTION', message, where: { file }, fix });
  }
  const rows = parsed as readonly unknown[];
  const byNumber = rows.some((row) => isRecord(row) && row['category'] === undefined);
  const numbered = byNumber ? await known.numbered() : [];
  const stemOf = stemLookup(known.stems);
  const nameable = new Set([...known.classes, ...numbered]);
  const strange: string[] = [];
  const detections = rows.flatMap((row, i): VocDetection[] => {
    const fail = (code: Problem['code'], message: string, fix?: string) => {
      findings.problem({ code, message: `[${i}]: ${message}`, where: { file }, ...(fix ? { fix } : {}) });
      return [];
    };
    if (!isRecord(row)) return fail('E_VOC_DETECTION', 'this is not an object');
    const { image_id, category_id, bbox, score } = row;
    const stem = stemOf(image_id);
    if (stem === undefined) return fail('E_VOC_IMAGE_ID', `image_id ${shown(image_id)} is not in the split`);
    const category = row['category'] ?? numbered[Number(category_id) - 1];
    if (typeof category !== 'string') {
      const ids = numbered.map((name, id) => `${id + 1} ${name}`).join(', ');
      return fail(
        'E_VOC_CATEGORY',
        `category_id ${shown(category_id)} is none of ${ids}`,
        'or give the name: "category": "dog"',
      );
    }
    if (typeof score !== 'number' || !Number.isFinite(score))
      return fail('E_VOC_DETECTION', `score is ${shown(score)}`);
    if (!isBox(bbox)) return fail('E_VOC_DETECTION', `bbox is ${shown(bbox)}, not [x, y, width, height]`);
    const [x, y, width, height] = bbox;
    if (width < 0 || height < 0)
      return fail('E_VOC_DETECTION', `${width < 0 ? 'width' : 'height'} of bbox is ${Math.min(width, height)}`);
    if (!nameable.has(category)) strange.push(category);
    return [{ stem, category, score, corners: [x + 1, y + 1, x + width, y + height] }];
  });
  const naming = `category_id counts the names of Annotations/ in alphabetical order: ${numbered.map((name, i) => `${i + 1} ${name}`).join(', ')}`;
  return { detections, notes: [...(byNumber ? [naming] : []), ...unknownClasses(strange)] };
}

/** Finds a stem by its name, or by its number (5 for 000005) if only one stem has that number. */
function stemLookup(stems: readonly string[]): (id: unknown) => string | undefined {
  const exact = new Set(stems);
  const byNumber = new Map<number, string | undefined>();
  for (const stem of stems) {
    if (/^\d+$/.test(stem)) byNumber.set(Number(stem), byNumber.has(Number(stem)) ? undefined : stem);
  }
  return (id) => {
    if (typeof id === 'string') return exact.has(id) ? id : undefined;
    if (typeof id !== 'number') return undefined;
    return exact.has(String(id)) ? String(id) : byNumber.get(id);
  };
}

/** A value of a file, short enough for a message. */
const shown = (value: unknown): string => (value === undefined ? 'missing' : quoted(value, 60));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBox = (value: unknown): value is [number, number, number, number] =>
  Array.isArray(value) && value.length === 4 && value.every((side) => Number.isFinite(side));
