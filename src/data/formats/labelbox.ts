import { basename } from 'node:path';
import type { Where } from '../../errors.js';
import { filePerPart } from './detect/json.js';
import { jsonLines } from './records/jsonLines.js';
import { listed } from './records/listed.js';
import { asText, fieldsOf, isFields, numbersOf, parseLabelJson, sizeOf, type Fields } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

const FILES = /\.(?:nd)?jsonl?$/i;

export const detectLabelbox = filePerPart(
  FILES,
  (text) =>
    (/"data_row"\s*:\s*\{/.test(text) && /"projects"\s*:\s*\{/.test(text)) ||
    (/"Labeled Data"\s*:/.test(text) && /"Label"\s*:/.test(text)),
  'the data rows of Labelbox',
);

/** Labelbox: its export with a data row in each line or in a list, and the older one with "Labeled Data". Data rows that
 *  nobody labelled are left out. */
export const labelbox = recordFormat(
  'labelbox',
  detectLabelbox,
  textLayout((path) => FILES.test(path), readLabelbox),
);

interface Row {
  readonly fields: Fields;
  readonly where: Where;
}

function readLabelbox(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file } = label;
  const rows: readonly Row[] = /^\s*\[/.test(text) ? listedRows(text, label) : jsonLines(text, label);
  if (!rows.some(({ fields }) => isFields(fields['data_row']) || 'Labeled Data' in fields))
    throw notOfLayout(file, `${basename(file)} has no "data_row" and no "Labeled Data" of Labelbox`);
  return { images: rows.flatMap((row) => readRow(row, label) ?? []) };
}

function listedRows(text: string, label: LabelFile): Row[] {
  const where = { file: label.file };
  const list = listed(parseLabelJson(text, label.file), 'data rows', basename(label.file), { ...label, where });
  return list.map((fields) => ({ fields, where }));
}

function readRow({ fields, where }: Row, label: LabelFile): ImageRecord | undefined {
  const { wrong, findings } = label;
  const about = isFields(fields['data_row']) ? fields['data_row'] : {};
  const keys = [about['external_id'], fields['External ID'], about['global_key'], about['row_data'], fields['Labeled Data']]; // prettier-ignore
  const [name, ...otherNames] = keys.map(asText).filter((one) => one !== undefined);
  if (name === undefined) {
    wrong('the data row has no "external_id" and no "row_data"', where);
    return undefined;
  }
  const [labels, ...others] = labelsOf(fields);
  if (!labels) {
    findings.count('data row without a label, left out', () => ({ message: name, where }));
    return undefined;
  }
  if (others.length > 0) findings.count('further label of a data row, left out', () => ({ message: name, where }));
  const media = isFields(fields['media_attributes']) ? fields['media_attributes'] : {};
  const objects = listed(labels['objects'], 'objects', `"${name}"`, { ...label, where }).flatMap(
    (object, index) => readObject(object, `objects[${index}] of "${name}"`, where, label) ?? [],
  );
  return { name, otherNames, size: sizeOf(media['width'], media['height']), objects, where };
}

/** What people labelled in a data row: an object for each label, of every project. */
function labelsOf(fields: Fields): Fields[] {
  if (isFields(fields['Label'])) return 'objects' in fields['Label'] ? [fields['Label']] : [];
  const projects = isFields(fields['projects']) ? Object.values(fields['projects']).filter(isFields) : [];
  return projects.flatMap(({ labels }) => fieldsOf(labels).flatMap(({ annotations }) => (isFields(annotations) ? [annotations] : []))); // prettier-ignore
}

function readObject(object: Fields, subject: string, where: Where, label: LabelFile): ObjectRecord | undefined {
  const { wrong, findings } = label;
  const category = asText(object['name']) ?? asText(object['title']) ?? asText(object['value']);
  const written = object['bounding_box'] ?? object['bbox'];
  const { polygon } = object;
  if (category === undefined) wrong(`${subject} has no "name"`, where);
  else if (written !== undefined) {
    const box = numbersOf(written, 'left', 'top', 'width', 'height') as [number, number, number, number] | undefined;
    if (box) {
      const points = [box[0], box[1], box[0] + box[2], box[1] + box[3]];
      return { category, points, form: 'box', unit: 'pixels', where, subject };
    }
    wrong(`${subject} has no left, top, width and height`, where);
  } else if (polygon !== undefined) {
    const pairs = (Array.isArray(polygon) ? polygon : []).map((point: unknown) => numbersOf(point, 'x', 'y'));
    if (pairs.length >= 3 && !pairs.includes(undefined)) {
      findings.count('polygon read as the box around it', () => ({ message: subject, where }));
      return { category, points: pairs.flatMap((pair) => pair!), form: 'outline', unit: 'pixels', where, subject };
    }
    wrong(`${subject} has a wrong list of points in "polygon"`, where);
  } else {
    const kind =
      asText(object['annotation_kind']) ?? ['mask', 'instanceURI', 'point', 'line'].find((one) => one in object);
    if (kind === undefined) wrong(`${subject} has no "bounding_box"`, where);
    else findings.count(`object without a box (${kind}), left out`, () => ({ message: subject, where }));
  }
  return undefined;
}
