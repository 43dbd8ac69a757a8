import { basename } from 'node:path';
import { counted, filesLike, spread, type Detect } from './detect/detected.js';
import { foldersByPart, placesOf } from './detect/parts.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { textLayout, type LabelFile } from './records/textLayout.js';
import { toNumber } from './textFile.js';

/** Type, truncated, occluded, alpha; the box; and seven numbers in space, and maybe a score. */
const LINE = /^\s*\p{L}[^\n]*?(?:\s+[-+]?\d*\.?\d+(?:e[-+]?\d+)?){14,15}\s*$/iu;

const isKitti = (text: string): boolean => {
  const lines = text.split(/\r\n|[\n\r]/).filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.slice(0, 50).every((line) => LINE.test(line));
};

/** KITTI: a text file for each image in label_2/, and the images in image_2/. */
export const detectKitti: Detect = async (listing) => {
  const files = listing.files.filter((file) => /\.txt$/i.test(file));
  const sample = spread(files);
  const alike = await filesLike(listing, sample, isKitti);
  if (alike.length === 0 || alike.length < 0.5 * sample.length) return undefined;
  const why = `${counted(files.length, 'text file')} ${files.length === 1 ? 'has' : 'have'} the 15 columns of KITTI`;
  return { certainty: 0.97, why, parts: placesOf(foldersByPart(files)) };
};

/** KITTI's labels of objects in the image. Regions called DontCare are left out. */
export const kitti = recordFormat(
  'kitti',
  detectKitti,
  textLayout((path) => /\.txt$/i.test(path), readKitti),
);

function readKitti(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file } = label;
  const objects = text.split(/\r\n|[\n\r]/).flatMap((line, index) => readLine(line, index + 1, label) ?? []);
  return { images: [{ name: basename(file).replace(/\.txt$/i, ''), isStem: true, objects, where: { file } }] };
}

function readLine(text: string, line: number, { file, wrong, findings }: LabelFile): ObjectRecord | undefined {
  const where = { file, line };
  const fields = text.trim().split(/\s+/);
  if (fields[0] === '') return undefined;
  const numbers = fields.slice(fields.findLastIndex((field) => toNumber(field) === undefined) + 1);
  const category = fields.slice(0, -numbers.length).join(' ');
  const points = numbers.slice(3, 7).map(toNumber) as number[];
  if (category === '' || numbers.length < 14 || numbers.length > 15) {
    wrong(`expected a class and the 14 numbers of KITTI, and maybe a score; found ${numbers.length} numbers`, where);
    return undefined;
  }
  if (category === 'DontCare') {
    findings.count('DontCare region, left out', () => ({ message: text.trim(), where }));
    return undefined;
  }
  return { category, points, form: 'box', unit: 'pixels', where, subject: `"${category.slice(0, 60)}"` };
}
