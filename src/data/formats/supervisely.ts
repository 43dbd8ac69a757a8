import { basename, dirname, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { listFolder } from '../image/imageFiles.js';
import { jsonPerImage } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, type Fields, isFields, numberList, parseLabelJson, sizeOf } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

export const detectSupervisely = jsonPerImage(
  (text) => /"objects"\s*:\s*\[/.test(text) && /"size"\s*:\s*\{/.test(text) && /"(?:classTitle|tags)"\s*:/.test(text),
  'the objects of Supervisely',
);

/** Supervisely: a JSON file for each image in ann/, called as the image in img/ beside it. */
export const supervisely = recordFormat(
  'supervisely',
  detectSupervisely,
  textLayout(
    (path) => /\.json$/i.test(path) && !/(?:^|\/)(?:meta|obj_class_to_machine_color)\.json$/i.test(path),
    read,
  ),
);

async function read(text: string, label: LabelFile): Promise<{ images: ImageRecord[] }> {
  const { file } = label;
  const fields = parseLabelJson(text, file);
  if (!isFields(fields) || !Array.isArray(fields['objects']))
    throw notOfLayout(file, `${basename(file)} has no list "objects"`);
  const name = basename(file).replace(/\.json$/i, '');
  const beside = join(dirname(file), '..', 'img');
  const isThere = (await listFolder(beside).catch(() => new Set<string>())).has(name);
  const { width, height } = isFields(fields['size']) ? fields['size'] : {};
  const objects = listed(fields['objects'], 'objects', `"${name}"`, { ...label, where: { file } }).flatMap(
    (object, index) => readObject(object, index, label) ?? [],
  );
  const record: ImageRecord = { name, size: sizeOf(width, height), objects, where: { file } };
  return { images: [isThere ? { ...record, file: join(beside, name) } : record] };
}

function readObject(object: Fields, index: number, { file, wrong, findings }: LabelFile): ObjectRecord | undefined {
  const category = asText(object['classTitle']);
  const subject = `objects[${index}]${category === undefined ? '' : ` "${category}"`}`;
  const where = { file };
  const kind = asText(object['geometryType']) ?? 'rectangle';
  const { exterior } = isFields(object['points']) ? object['points'] : {};
  const pairs = Array.isArray(exterior) ? exterior.map(numberList) : [];
  const points = kind === 'bitmap' ? boundsOfMask(object['bitmap']) : pairs.flatMap((pair) => pair ?? [NaN]);
  if (category === undefined) wrong(`${subject} has no "classTitle"`);
  else if (!AREAS.has(kind))
    findings.count(`shape without area (${kind}), left out`, () => ({ message: subject, where }));
  else if (!points || points.length < 4 || points.length % 2 === 1 || points.some(Number.isNaN))
    wrong(`${subject} has no ${kind === 'bitmap' ? '"bitmap" that is a mask' : 'list of "points"'}`);
  else {
    if (kind !== 'rectangle')
      findings.count(`${kind === 'bitmap' ? 'mask' : kind} read as the box around it`, () => ({
        message: subject,
        where,
      }));
    return { category, form: 'outline', points, unit: 'pixels', where, subject };
  }
  return undefined;
}

const AREAS: ReadonlySet<string> = new Set(['rectangle', 'polygon', 'bitmap', 'polyline', 'line']);

/** Bytes of a PNG file up to the end of its size. */
const HEAD = 24;

/** The corners of a mask, which is a PNG file, deflated and in base64, whose left upper pixel lies at `origin`. */
function boundsOfMask(bitmap: unknown): number[] | undefined {
  const { data, origin } = isFields(bitmap) ? bitmap : {};
  const [x, y] = numberList(origin) ?? [];
  if (typeof data !== 'string' || x === undefined || y === undefined) return undefined;
  try {
    const png = inflateSync(Buffer.from(data, 'base64'), { maxOutputLength: 2 ** 26 });
    if (png.length < HEAD) return undefined;
    return [x, y, x + png.readUInt32BE(HEAD - 8), y + png.readUInt32BE(HEAD - 4)];
  } catch {
    return undefined;
  }
}
