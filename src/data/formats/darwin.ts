import { basename } from 'node:path';
import { jsonPerImage } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, fieldsOf, isFields, numbersOf, parseLabelJson, sizeOf, type Fields } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

export const detectDarwin = jsonPerImage(
  (text) =>
    /"annotations"\s*:\s*\[/.test(text) &&
    ((/"item"\s*:\s*\{/.test(text) && /"slots"\s*:\s*\[/.test(text)) ||
      (/"image"\s*:\s*\{/.test(text) && /"(?:original_filename|workview_url)"\s*:/.test(text))),
  'the annotations of V7 Darwin',
);

/** Darwin of V7: a JSON file for each image, of version 2.0 or 1.0. Tags, lines and key points have no box. */
export const darwin = recordFormat(
  'darwin',
  detectDarwin,
  textLayout((path) => /\.json$/i.test(path), readDarwin),
);

function readDarwin(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file } = label;
  const json = parseLabelJson(text, file);
  const item = isFields(json) ? (json['item'] ?? json['image']) : undefined;
  if (!isFields(json) || !isFields(item)) throw notOfLayout(file, `${basename(file)} has no "item" of V7 Darwin`);
  const stem = basename(file).replace(/\.json$/i, '');
  const name = asText(item['name']) ?? asText(item['filename']) ?? stem;
  const original = asText(item['original_filename']);
  const folder = asText(item['path'])?.replace(/^\/+|\/+$/g, '') ?? '';
  const [slot] = fieldsOf(item['slots']);
  const { width, height } = slot ?? item;
  const objects = listed(json['annotations'], 'annotations', `"${name}"`, { ...label, where: { file } }).flatMap(
    (annotation, index) => readAnnotation(annotation, index, label) ?? [],
  );
  return {
    images: [
      {
        name: folder === '' ? name : `${folder}/${name}`,
        otherNames: [...new Set([name, ...(original === undefined ? [] : [original]), stem])],
        size: sizeOf(width, height),
        objects,
        where: { file },
      },
    ],
  };
}

/** Shapes that have no area. */
const FLAT = ['tag', 'line', 'keypoint', 'skeleton', 'directional_vector', 'string', 'link', 'graph'];

function readAnnotation(
  annotation: Fields,
  index: number,
  { file, wrong, findings }: LabelFile,
): ObjectRecord | undefined {
  const category = asText(annotation['name']);
  const subject = `annotations[${index}]${category === undefined ? '' : ` "${category}"`}`;
  const where = { file };
  const flat = FLAT.find((kind) => kind in annotation);
  if (category === undefined) wrong(`${subject} has no "name"`);
  else if ('frames' in annotation) wrong(`${subject} is of a video: export its frames as images`);
  else if ('bounding_box' in annotation || flat === undefined) {
    const box = numbersOf(annotation['bounding_box'], 'x', 'y', 'w', 'h') as
      [number, number, number, number] | undefined;
    const outline = box || 'bounding_box' in annotation ? undefined : outlineOf(annotation);
    const shape = ['polygon', 'ellipse', 'mask'].find((kind) => kind in annotation);
    if ((box ?? outline) && shape !== undefined)
      findings.count(`${shape} read as the box around it`, () => ({ message: subject, where }));
    const base = { category, unit: 'pixels', where, subject } as const;
    if (box) return { ...base, form: 'box', points: [box[0], box[1], box[0] + box[2], box[1] + box[3]] };
    if (outline) return { ...base, form: 'outline', points: outline };
    wrong(`${subject} has no "bounding_box" of x, y, w and h, and no polygon`);
  } else findings.count(`annotation without a box (${flat}), left out`, () => ({ message: subject, where }));
  return undefined;
}

/** The points of a polygon, or the corners around an ellipse. */
function outlineOf({ polygon, ellipse }: Fields): number[] | undefined {
  if (isFields(polygon)) {
    const { paths, path } = polygon;
    const lists = (Array.isArray(paths) ? paths : [path]) as readonly unknown[];
    const points = lists.flatMap((one) => (Array.isArray(one) ? (one as readonly unknown[]) : []));
    const pairs = points.map((point) => numbersOf(point, 'x', 'y'));
    return pairs.length < 3 || pairs.includes(undefined) ? undefined : pairs.flatMap((pair) => pair!);
  }
  if (!isFields(ellipse)) return undefined;
  const [centre, radius] = [numbersOf(ellipse['center'], 'x', 'y'), numbersOf(ellipse['radius'], 'x', 'y')];
  const angle = typeof ellipse['angle'] === 'number' ? ellipse['angle'] : 0; // radians
  if (!centre || !radius) return undefined;
  const [cx, cy, rx, ry] = [...centre, ...radius] as [number, number, number, number];
  const halfWidth = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
  const halfHeight = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
  return [cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight];
}
