import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import { classFileFormat, type ClassRecord } from '../records/classRecords.js';
import { asText, isFields, numberList, type Fields } from '../records/readLabels.js';
import type { ImageRecord, ObjectRecord, PartRecords } from '../records/record.js';
import { labelFiles, recordFormat, type RecordSource } from '../records/recordFormat.js';
import type { LabelFile } from '../records/textLayout.js';
import { decodeText } from '../decodeText.js';
import { unpackImage } from '../records/unpackImage.js';
import { detectWebDataset, detectWebDatasetClasses } from './detect.js';
import { listTar } from './tarIndex.js';

const isTar = (path: string): boolean => /\.tar$/i.test(path);

/** WebDataset with boxes: tar files that hold an image and a JSON file of the same name for each sample. */
export const webDataset = recordFormat('webdataset', detectWebDataset, readBoxes);

/** WebDataset with a class for each image: in a file .cls, or in a JSON file. */
export const webDatasetClasses = classFileFormat(detectWebDatasetClasses, isTar, readClasses);

/** The files of one sample: its image, unpacked, and its other files by their extensions. */
interface Sample {
  readonly key: string;
  readonly image: string | undefined;
  readonly texts: ReadonlyMap<string, string>;
}

/** Largest file of labels of a sample. */
const LARGEST_TEXT = 1 << 24;

async function readSamples({ file }: LabelFile): Promise<Sample[]> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new FinetuneError({ code: 'E_LABEL_FILE', message: 'cannot be read', where: { file } }, { cause });
  });
  try {
    const samples = new Map<string, { key: string; image: string | undefined; texts: Map<string, string> }>();
    for (const { name, start, size } of await listTar(handle, file)) {
      const [, key, extension] = /^((?:.*\/)?[^/.][^/.]*)\.([^/]+)$/s.exec(name) ?? [];
      if (key === undefined || extension === undefined) continue;
      const sample = samples.get(key) ?? { key, image: undefined, texts: new Map<string, string>() };
      samples.set(key, sample);
      const isImage = IMAGE_EXTENSION.test(name);
      if (!isImage && (size > LARGEST_TEXT || !/^(?:json|cls|txt)$/i.test(extension))) continue;
      const bytes = Buffer.alloc(size);
      await handle.read(bytes, 0, size, start);
      if (isImage) sample.image = await unpackImage(() => Promise.resolve(bytes), `${file}\n${name}`);
      else sample.texts.set(extension.toLowerCase(), decodeText(bytes, `${file}/${name}`));
    }
    return [...samples.values()];
  } finally {
    await handle.close();
  }
}

async function readBoxes(source: RecordSource): Promise<PartRecords> {
  const { root, part, findings } = source;
  const images: ImageRecord[] = [];
  for (const file of await labelFiles(source, isTar)) {
    const wrong: LabelFile['wrong'] = (message, where = { file }) =>
      findings.problem({ code: 'E_LABEL_ROW', message, where });
    const label: LabelFile = { file, root, part, findings, wrong };
    try {
      for (const sample of await readSamples(label)) images.push(...sampleRecord(sample, label));
    } catch (error) {
      findings.absorb(error);
    }
  }
  return { images };
}

function sampleRecord({ key, image, texts }: Sample, { file, wrong, findings }: LabelFile): ImageRecord[] {
  if (image === undefined) {
    findings.count('sample without an image, left out', () => ({ message: key, where: { file } }));
    return [];
  }
  const json = parse(texts.get('json'), key, wrong);
  if (json === undefined) return [];
  const found = objectsIn(json);
  if (found && !found.every(isFields)) {
    wrong(`${key}.json has an object that is none`);
    return [];
  }
  if (found === undefined)
    findings.count('sample without a list of objects', () => ({ message: key, where: { file } }));
  const objects = (found ?? []).flatMap((object, index): ObjectRecord[] => {
    const subject = `object ${index} of "${key}"`;
    const box = numberList(object['bbox'] ?? object['box']);
    const category = asText(
      object['category'] ??
        object['label'] ??
        object['class'] ??
        object['category_name'] ??
        object['category_id'] ??
        object['name'],
    );
    if (box?.length === 4 && category !== undefined) {
      const [x, y, w, h] = box as [number, number, number, number];
      return [{ category, form: 'box', points: [x, y, x + w, y + h], unit: 'pixels', where: { file }, subject }];
    }
    wrong(`${subject} has no ${category === undefined ? 'category' : '"bbox" of four numbers'}`);
    return [];
  });
  return [{ name: nameOf(file, key), file: image, objects, where: { file } }];
}

/** The name of a sample: two tar files may have the same keys. */
const nameOf = (file: string, key: string): string => `${basename(file)}/${key.replace(/^\.\//, '')}`;

/** The objects of a sample: a list of them, or lists of boxes and of categories side by side. */
function objectsIn(json: Fields): readonly unknown[] | undefined {
  const list = json['objects'] ?? json['annotations'];
  if (Array.isArray(list)) return list as readonly unknown[];
  const fields = isFields(list) ? list : json;
  const boxes = fields['bbox'] ?? fields['bboxes'] ?? fields['boxes'];
  const names = fields['categories'] ?? fields['category'] ?? fields['labels'] ?? fields['label'];
  if (!Array.isArray(boxes)) return undefined;
  const labels: readonly unknown[] = Array.isArray(names) ? names : [];
  return Array.from({ length: Math.max(boxes.length, labels.length) }, (_, i) => ({
    bbox: boxes[i] as unknown,
    category: labels[i],
  }));
}

function parse(text: string | undefined, key: string, wrong: LabelFile['wrong']): Fields | undefined {
  if (text === undefined) return {};
  try {
    const json: unknown = JSON.parse(text);
    if (isFields(json)) return json;
    if (Array.isArray(json)) return { objects: json };
    wrong(`${key}.json is not an object`);
  } catch (error) {
    wrong(`${key}.json is not JSON: ${(error as SyntaxError).message}`);
  }
  return undefined;
}

async function readClasses(label: LabelFile): Promise<readonly ClassRecord[]> {
  const { file, wrong, findings } = label;
  return (await readSamples(label)).flatMap(({ key, image, texts }): ClassRecord[] => {
    if (image === undefined) {
      findings.count('sample without an image, left out', () => ({ message: key, where: { file } }));
      return [];
    }
    const json = parse(texts.get('json'), key, wrong) ?? {};
    const name = asText(texts.get('cls') ?? json['label'] ?? json['cls'] ?? json['class'] ?? json['class_name']);
    if (name !== undefined) return [{ name: nameOf(file, key), file: image, label: name, where: { file } }];
    wrong(`"${key}" has no class`);
    return [];
  });
}
