import { basename } from 'node:path';
import { filePerPart } from './detect/json.js';
import {
  asNumber,
  asText,
  isFields,
  numberList,
  numbersOf,
  parseLabelJson,
  type Fields,
} from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';
import { parseCsv } from './table/parseCsv.js';

export const detectVia = filePerPart(
  /\.(?:json|csv)$/i,
  (text) =>
    (/"shape_attributes"\s*:\s*\{/.test(text) && /"regions"\s*:/.test(text)) ||
    /region_shape_attributes/.test(text.slice(0, 2000)) ||
    /"_via_img_metadata"/.test(text),
  'the regions of the VGG Image Annotator',
);

/** VGG Image Annotator: a project, or an export of its annotations, as JSON or csv. The class of a region is its first
 *  attribute that has a value; without attributes it is called "object". */
export const via = recordFormat(
  'via',
  detectVia,
  textLayout((path) => /\.(?:json|csv)$/i.test(path), readVia),
);

function readVia(text: string, file: LabelFile): { images: ImageRecord[] } {
  return { images: /\.csv$/i.test(file.file) ? readCsv(text, file) : readJson(text, file) };
}

function readJson(text: string, label: LabelFile): ImageRecord[] {
  const { file, wrong } = label;
  const json = parseLabelJson(text, file);
  const all = isFields(json) && isFields(json['_via_img_metadata']) ? json['_via_img_metadata'] : json;
  const entries = isFields(all) ? Object.entries(all) : [];
  if (!isFields(all) || entries.every(([, entry]) => !isFields(entry) || entry['regions'] === undefined))
    throw notOfLayout(file, `${basename(file)} has no images with "regions"`);
  return entries.flatMap(([key, entry]) => {
    const name = isFields(entry) ? asText(entry['filename']) : undefined;
    if (!isFields(entry) || name === undefined) {
      wrong(`"${key.slice(0, 60)}" has no "filename"`);
      return [];
    }
    const { regions: written } = entry;
    if (typeof written !== 'object' || written === null) {
      wrong(`"${name}" has no "regions"`);
      return [];
    }
    const regions = Object.values(written) as unknown[];
    const objects = regions.flatMap((region, index) => {
      const fields = isFields(region) ? region : {};
      const subject = `regions[${index}] of "${name}"`;
      return readRegion(fields['shape_attributes'], fields['region_attributes'], subject, label) ?? [];
    });
    return [{ name, objects, where: { file } }];
  });
}

function readCsv(text: string, label: LabelFile): ImageRecord[] {
  const { file, wrong } = label;
  const [head, ...rows] = parseCsv(text);
  const heads = head?.cells.map((cell) => cell.trim().replace(/^#/, '')) ?? [];
  const column = (name: string): number => heads.indexOf(name);
  const [names, shapes, attributes] = [
    column('filename'),
    column('region_shape_attributes'),
    column('region_attributes'),
  ];
  if (names < 0 || shapes < 0) throw notOfLayout(file, `${basename(file)} has no columns of the VGG Image Annotator`);
  const images = new Map<string, ImageRecord & { readonly objects: ObjectRecord[] }>();
  for (const { cells, line } of rows) {
    const where = { file, line };
    const name = asText(cells[names]);
    if (name === undefined) {
      wrong('the row has no filename', where);
      continue;
    }
    const record = images.get(name) ?? { name, objects: [] as ObjectRecord[], where };
    images.set(name, record);
    const read = (cell: string | undefined): unknown => parseLabelJson(cell?.trim() || '{}', file, line);
    try {
      const shape = read(cells[shapes]);
      if (!isFields(shape) || Object.keys(shape).length === 0) continue;
      const object = readRegion(shape, read(cells[attributes]), `the region of "${name}"`, label, line);
      if (object) record.objects.push(object);
    } catch (error) {
      label.findings.absorb(error);
    }
  }
  return [...images.values()];
}

function readRegion(
  shape: unknown,
  attributes: unknown,
  subject: string,
  { file, wrong, findings }: LabelFile,
  line?: number,
): ObjectRecord | undefined {
  const where = { file, ...(line !== undefined && { line }) };
  const { name: kind } = isFields(shape) ? shape : ({} as Fields);
  const base = { category: categoryOf(attributes), unit: 'pixels', where, subject } as const;
  const outline = outlineOf(shape);
  if (kind === 'rect') {
    const box = numbersOf(shape, 'x', 'y', 'width', 'height') as [number, number, number, number] | undefined;
    if (box) return { ...base, form: 'box', points: [box[0], box[1], box[0] + box[2], box[1] + box[3]] };
    wrong(`${subject} has no x, y, width and height`, where);
  } else if (outline) {
    findings.count(
      `${kind === 'polygon' || kind === 'polyline' ? 'polygon' : 'circle'} read as the box around it`,
      () => ({ message: subject, where }),
    );
    return { ...base, form: 'outline', points: outline };
  } else if (kind === 'point')
    findings.count('shape without area (point), left out', () => ({ message: subject, where }));
  else wrong(`${subject} has no shape that is known`, where);
  return undefined;
}

/** The points of a polygon, or the corners around a circle or an ellipse. */
function outlineOf(shape: unknown): number[] | undefined {
  if (!isFields(shape)) return undefined;
  const [xs, ys] = [numberList(shape['all_points_x']), numberList(shape['all_points_y'])];
  if (xs && ys) return xs.length === ys.length && xs.length > 1 ? xs.flatMap((x, i) => [x, ys[i]!]) : undefined;
  const centre = numbersOf(shape, 'cx', 'cy');
  const rx = asNumber(shape['rx'] ?? shape['r']);
  const ry = asNumber(shape['ry'] ?? shape['r']);
  if (!centre || rx === undefined || ry === undefined) return undefined;
  const [cx, cy] = centre as [number, number];
  return [cx - rx, cy - ry, cx + rx, cy + ry];
}

/** The value of the first attribute that has one: a text, or the choice that is true. */
function categoryOf(attributes: unknown): string {
  for (const value of isFields(attributes) ? Object.values(attributes) : []) {
    const chosen = isFields(value) ? Object.keys(value).find((key) => value[key] === true) : asText(value);
    if (chosen !== undefined) return chosen;
  }
  return 'object';
}
