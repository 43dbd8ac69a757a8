import { basename } from 'node:path';
import { numberCategories } from '../categories.js';
import { filePerPart } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, type Fields, fieldsOf, isFields, numberList, parseLabelJson, sizeOf } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord, PartRecords } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

export const detectDatumaro = filePerPart(
  /\.json$/i,
  (text) => /"items"\s*:\s*\[/.test(text) && /"label"\s*:\s*\{\s*"labels"\s*:/.test(text),
  'the items of Datumaro',
);

/** Datumaro: JSON with items, and a folder of images beside it. */
export const datumaro = recordFormat(
  'datumaro',
  detectDatumaro,
  textLayout((path) => /\.json$/i.test(path), readDatumaro),
);

function readDatumaro(text: string, label: LabelFile): PartRecords {
  const { file } = label;
  const json = parseLabelJson(text, file);
  const all = isFields(json) && isFields(json['categories']) ? json['categories']['label'] : undefined;
  const labels = isFields(all) ? fieldsOf(all['labels']).map(({ name }) => asText(name)) : [];
  if (!isFields(json) || !Array.isArray(json['items']) || labels.length === 0 || labels.includes(undefined))
    throw notOfLayout(file, `${basename(file)} has no "items" and "categories.label.labels" of Datumaro`);
  const names = labels as string[];
  if (new Set(names).size < names.length) throw notOfLayout(file, `${basename(file)} has two labels of one name`);
  const items = listed(json['items'], 'items', basename(file), { ...label, where: { file } });
  const images = items.flatMap((item, index) => readItem(item, index, names, label) ?? []);
  return { images, categories: numberCategories(names) };
}

function readItem(item: Fields, index: number, names: readonly string[], label: LabelFile): ImageRecord | undefined {
  const { file, wrong } = label;
  const media = [item['image'], item['media']].find(isFields);
  const id = asText(item['id']);
  const path = asText(media?.['path']);
  const name = path ?? id;
  if (name === undefined) {
    wrong(`items[${index}] has no "id"`);
    return undefined;
  }
  const [height, width] = numberList(media?.['size']) ?? [];
  const objects = listed(item['annotations'], 'annotations', `"${name}"`, { ...label, where: { file } }).flatMap(
    (annotation, at) => readAnnotation(annotation, `items[${index}].annotations[${at}]`, names, label) ?? [],
  );
  const otherNames = id === undefined || id === name ? [] : [id];
  return { name, isStem: path === undefined, otherNames, size: sizeOf(width, height), objects, where: { file } };
}

function readAnnotation(
  { type, label_id: id, bbox, points, attributes }: Fields,
  subject: string,
  names: readonly string[],
  { file, wrong, findings }: LabelFile,
): ObjectRecord | undefined {
  if (type !== 'bbox' && type !== 'polygon') {
    findings.count(`annotation of another kind (${String(type)}), left out`, () => ({
      message: subject,
      where: { file },
    }));
    return undefined;
  }
  const category = typeof id === 'number' ? names[id] : undefined;
  const numbers = numberList(type === 'bbox' ? bbox : points);
  const mark = isFields(attributes) && attributes['is_crowd'] === true ? 'crowd' : undefined;
  if (category === undefined) wrong(`${subject} has no "label_id" of the ${names.length} labels`);
  else if (type === 'bbox' && numbers?.length === 4) {
    const [x, y, w, h] = numbers as [number, number, number, number];
    return { category, form: 'box', points: [x, y, x + w, y + h], unit: 'pixels', mark, where: { file }, subject };
  } else if (type === 'polygon' && numbers && numbers.length >= 4 && numbers.length % 2 === 0) {
    findings.count('polygon read as the box around it', () => ({ message: subject, where: { file } }));
    return { category, form: 'outline', points: numbers, unit: 'pixels', mark, where: { file }, subject };
  } else wrong(`${subject} has no "${type === 'bbox' ? 'bbox' : 'points'}"`);
  return undefined;
}
