import { dirname, join } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { DROP_HINT } from '../records/buildRecords.js';
import { mapFiles } from '../../scan/mapFiles.js';
import { readLabelText } from '../records/readLabels.js';
import type { ImageRecord, ObjectRecord, PartRecords } from '../records/record.js';
import { recordFormat, type RecordSource } from '../records/recordFormat.js';
import { listFiles } from '../detect/listing.js';
import { detectYolo, isLabelText } from './detect.js';
import { findLabelFiles, lonelyLabels } from './labelFiles.js';
import { listImages, type YoloImage } from './images.js';
import { readYoloLine } from './lines.js';
import { namesOfLabels, readNames, type YoloNames } from './names.js';

/** YOLO: a text file of normalised boxes, polygons or rotated boxes for each image (Ultralytics, Roboflow, Darknet,
 *  LabelImg, CVAT). */
export const yolo = recordFormat('yolo', detectYolo, readYolo);

async function readYolo(source: RecordSource): Promise<PartRecords> {
  const { root, findings } = source;
  const names = await readNames(root, source.names);
  const folder = names.file === undefined ? root : dirname(names.file);
  const bases = names.config?.path === undefined ? [] : [join(folder, names.config.path)];
  const order = source.names === undefined ? [root, ...bases, folder] : [...bases, folder, root]; // data.yaml's own places
  const images = await listImages(source, order);
  const labels = await findLabelFiles(
    images.map(({ file }) => file),
    root,
  );
  if (labels.size === 0 && images.length > 0)
    throw new FinetuneError({
      code: 'E_LABEL_FILE',
      message: `none of the ${images.length} images has a label file, such as ${images[0]!.file.replace(/\.[^.]+$/, '.txt')}`,
      where: { file: dirname(images[0]!.file) },
      option: `data.${source.part}`,
      fix: `put the label files beside the images, or in labels/ where the images are in images/${source.part === 'test' ? '; or set data.test: null' : ''}`,
    });
  const own = source.names === undefined ? await namesOfLabels(root, names, [...labels.values()]) : undefined;
  const read = await mapFiles(images, (image) => {
    const label = labels.get(image.file);
    return readImage(image, label, label === undefined ? names : (own?.of(label) ?? names), source);
  });
  const records = read.filter((record) => record !== undefined);
  const absent = images.length - labels.size;
  if (absent > 0)
    findings.count(
      'image without a label file, which has no objects',
      () => {
        const { file } = images.find((image) => !labels.has(image.file))!;
        return { message: file, where: { file } };
      },
      absent,
    );
  const shared = labels.size - new Set(labels.values()).size;
  if (shared > 0) findings.count('image that shares its label file with another one of its name', undefined, shared);
  await countLonely(labels, source);
  return { images: records, categories: own ? own.categories : names.categories };
}

/** Counts files of labels that are called like no image of the data set: the image may be missing, or of a kind that
 *  cannot be read. Notes and lists are none. */
async function countLonely(labels: ReadonlyMap<string, string>, { root, findings }: RecordSource): Promise<void> {
  const lonely = await lonelyLabels(labels.values(), (await listFiles(root)).images);
  for (const file of lonely) {
    const text = await Promise.resolve(readLabelText(file)).catch(() => '');
    if (isLabelText(text))
      findings.count('label file without an image, left out', () => ({ message: file, where: { file } }));
  }
}

function readImage(
  { file, where }: YoloImage,
  labels: string | undefined,
  names: YoloNames,
  source: RecordSource,
): ImageRecord | undefined | Promise<ImageRecord | undefined> {
  if (labels === undefined) return { name: file, file, objects: [], where };
  const record = (text: string): ImageRecord => {
    return { name: file, file, objects: readObjects(text, labels, names, source), where: { file: labels } };
  };
  const text = readLabelText(labels);
  if (typeof text === 'string') return record(text);
  return text.then(record).catch((error: unknown) => {
    source.findings.absorb(error);
    return undefined;
  });
}

function readObjects(
  text: string,
  file: string,
  names: YoloNames,
  { findings, invalidBoxes }: RecordSource,
): ObjectRecord[] {
  const hasKeypoints = names.config?.hasKeypoints ?? false;
  return text.split(/\r\n|[\n\r]/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const where = { file, line: index + 1 };
    const object = readYoloLine(line, hasKeypoints);
    if ('fault' in object) {
      const { fault, isBox } = object;
      const problem = { code: isBox ? 'E_LABEL_BOX' : 'E_LABEL_ROW', message: fault, where } as const;
      if (isBox) findings.report(invalidBoxes, 'box outside its image', () => ({ ...problem, fix: DROP_HINT }));
      else findings.problem(problem);
      return [];
    }
    const { label, points, form, hasConfidence, isClipped, hasCommas } = object;
    const category = names.nameOf(label);
    if (category === undefined) {
      const known = names.categories ? `; ${names.file!} has ${names.categories.length}` : '';
      findings.problem({
        code: 'E_LABEL_ROW',
        message: `there is no class "${label.slice(0, 60)}"${known}`,
        where,
        fix: 'correct the line, or add the class to that file: its first class has the number 0',
      });
      return [];
    }
    if (hasCommas) findings.count('number with a decimal comma', () => ({ message: line, where }));
    if (hasConfidence) findings.count('confidence at the end of a line, left out', () => ({ message: line, where }));
    if (form === 'outline') findings.count('polygon read as the box around it', () => ({ message: line, where }));
    if (isClipped) findings.count('value a hair outside of 0 to 1, clipped', () => ({ message: line, where }));
    return [{ category, points, form, unit: 'shares', where, subject: `class "${category}"` } satisfies ObjectRecord];
  });
}
