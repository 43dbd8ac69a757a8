import { basename, dirname } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { IMAGE_EXTENSION, listFolder } from '../image/imageFiles.js';
import { jsonPerImage } from './detect/json.js';
import { listed } from './records/listed.js';
import { asText, isFields, numberList, parseLabelJson, readLabelText, sizeOf } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';

export const detectLabelme = jsonPerImage(
  (text) => /"shapes"\s*:\s*\[/.test(text) && /"(?:imagePath|imageData|imageHeight)"\s*:/.test(text),
  'the shapes of labelme',
);

/** labelme: a JSON file for each image, with shapes of several kinds. Points and lines have no area, and are left out. */
export const labelme = recordFormat(
  'labelme',
  detectLabelme,
  textLayout((path) => /\.json$/i.test(path), readLabelme),
);

async function readLabelme(text: string, file: LabelFile): Promise<{ images: ImageRecord[] }> {
  const fields = parseLabelJson(text, file.file);
  if (!isFields(fields) || !Array.isArray(fields['shapes'])) {
    if (await isOfImage(file.file)) throw notOfLayout(file.file, `${basename(file.file)} has no list "shapes"`);
    file.findings.count('JSON file of another kind, left out', () => ({
      message: file.file,
      where: { file: file.file },
    }));
    return { images: [] };
  }
  const stem = basename(file.file).replace(/\.json$/i, '');
  const name = asText(fields['imagePath']) ?? stem;
  const objects = listed(fields['shapes'], 'shapes', `"${name}"`, { ...file, where: { file: file.file } }).flatMap(
    (shape, index) => readShape(shape, index, file) ?? [],
  );
  const record: ImageRecord = {
    name,
    otherNames: [stem],
    isStem: name === stem,
    size: sizeOf(fields['imageWidth'], fields['imageHeight']),
    objects,
    where: { file: file.file },
    ...(typeof fields['imageData'] === 'string' && { bytes: () => readImageData(file.file) }),
  };
  return { images: [record] };
}

/** Whether a file is called as an image beside it, so that it should have the labels of that image. */
async function isOfImage(file: string): Promise<boolean> {
  const stem = basename(file).replace(/\.json$/i, '');
  const beside = await listFolder(dirname(file));
  return [...beside].some((name) => IMAGE_EXTENSION.test(name) && name.replace(IMAGE_EXTENSION, '') === stem);
}

/** The image that stands in the file itself. The file is read again, since all images would not fit into memory. */
async function readImageData(file: string): Promise<Uint8Array | undefined> {
  try {
    const fields = parseLabelJson(await readLabelText(file), file);
    const data = isFields(fields) ? fields['imageData'] : undefined;
    return typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
  } catch (error) {
    if (error instanceof FinetuneError) return undefined;
    throw error;
  }
}

function readShape(
  { label, points: written, shape_type: type = 'polygon', flags, difficult }: Readonly<Record<string, unknown>>,
  index: number,
  { file, wrong, findings }: LabelFile,
): ObjectRecord | undefined {
  const category = asText(label);
  const subject = `shapes[${index}]${category === undefined ? '' : ` "${category}"`}`;
  const pairs = Array.isArray(written) ? written.map(numberList) : [];
  const points = pairs.flatMap((pair) => (pair?.length === 2 ? pair : [NaN, NaN]));
  const note = () => ({ message: `${subject}: ${String(type)}`, where: { file } });
  if (category === undefined) wrong(`${subject} has no "label"`);
  else if (points.length === 0 || points.some(Number.isNaN)) wrong(`${subject} has no list of "points"`);
  else {
    const mark = markOf(flags, difficult);
    const base = { category, form: 'outline', unit: 'pixels', mark, where: { file }, subject } as const;
    if (type === 'rectangle' && points.length === 4) return { ...base, points };
    if (type === 'circle' && points.length === 4) {
      findings.count('circle read as the box around it', note);
      const [x, y, px, py] = points as [number, number, number, number];
      const radius = Math.hypot(px - x, py - y);
      return { ...base, points: [x - radius, y - radius, x + radius, y + radius] };
    }
    if (OUTLINES.has(String(type)) && points.length >= 4) {
      const what = type === 'rotation' ? 'rotated box' : 'polygon';
      if (type !== 'mask') findings.count(`${what} read as the box around it`, note);
      return { ...base, points };
    }
    findings.count(`shape without area (${String(type)}), left out`, note);
  }
  return undefined;
}

/** Shapes with points around an object; rotation is a rotated box of X-AnyLabeling. */
const OUTLINES: ReadonlySet<string> = new Set(['polygon', 'rectangle', 'mask', 'rotation']);

/** The mark of a shape: among its flags, or X-AnyLabeling's difficult. */
function markOf(flags: unknown, difficult: unknown): ObjectRecord['mark'] {
  const { crowd, ignore } = isFields(flags) ? flags : {};
  if (crowd === true) return 'crowd';
  return ignore === true || difficult === true || (isFields(flags) && flags['difficult'] === true)
    ? 'ignore'
    : undefined;
}
