import { basename } from 'node:path';
import { IMAGE_EXTENSION } from '../image/imageFiles.js';
import { filePerPart } from './detect/json.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';
import { toNumber } from './textFile.js';

const START = /^\S[^\n\r]*\.(?:jpe?g|png|webp|bmp)[ \t]*\r?\n\s*\d+[ \t]*\r?\n\s*-?\d+(?:[ \t]+-?\d+){3,}/i;

export const detectWiderFace = filePerPart(
  /\.txt$/i,
  (text) => START.test(text.trimStart()),
  'the blocks of WIDER FACE: a name, a number of faces, and a line for each',
);

/** WIDER FACE: a text file for each part with blocks of an image's name, the number of its faces, and a line for each.
 *  A face that the data set calls invalid is ignored. */
export const widerFace = recordFormat(
  'widerface',
  detectWiderFace,
  textLayout((path) => /\.txt$/i.test(path), readWiderFace),
);

const CATEGORY = 'face';
/** The column of a line that says whether the face is invalid. */
const INVALID = 7;

function readWiderFace(text: string, label: LabelFile): { images: ImageRecord[] } {
  const { file, wrong } = label;
  const images: (ImageRecord & { readonly objects: ObjectRecord[] })[] = [];
  text.split(/\r\n|[\n\r]/).forEach((raw, index) => {
    const [line, where] = [raw.trim(), { file, line: index + 1 }];
    const image = images.at(-1);
    if (line === '') return;
    if (IMAGE_EXTENSION.test(line)) images.push({ name: line, objects: [], where });
    else if (!image) wrong('expected the name of an image', where);
    else if (!/^\d+$/.test(line)) readFace(line, image.objects, where, label);
  });
  if (images.length === 0) throw notOfLayout(file, `${basename(file)} has no line with the name of an image`);
  return { images };
}

function readFace(
  line: string,
  objects: ObjectRecord[],
  where: { readonly file: string; readonly line: number },
  { wrong }: LabelFile,
): void {
  const numbers = line.split(/\s+/).map(toNumber);
  if (numbers.length < 4 || numbers.includes(undefined)) {
    wrong('expected left, top, width and height of a face', where);
    return;
  }
  const [x, y, w, h] = numbers as [number, number, number, number];
  if (numbers.every((value) => value === 0)) return; // an image without faces has a line of zeros
  const mark = numbers[INVALID] === 1 ? 'ignore' : undefined;
  const points = [x, y, x + w, y + h];
  objects.push({ category: CATEGORY, points, form: 'box', unit: 'pixels', mark, where, subject: 'the face' });
}
