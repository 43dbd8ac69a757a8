import { dirname, join } from 'node:path';
import type { Where } from '../../errors.js';
import { IMAGE_EXTENSION, listFolder } from '../image/imageFiles.js';
import type { Detect } from './detect/detected.js';
import { filePerPart } from './detect/json.js';
import { isClassNumber } from './records/classNumber.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { textLayout, type LabelFile } from './records/textLayout.js';
import { toNumber } from './textFile.js';

/** What a sequence has beside its frames: the truth, and what a detector found. */
export const MOT_FILE = /(?:^|[\\/])(?:gt[\\/]gt|det[\\/]det)\.txt$/i;
const TRUTH = /(?:^|[\\/])gt[\\/]gt\.txt$/i;
/** Frame, track, left, top, width, height, whether it counts; class and visibility, or three numbers that say nothing. */
const LINE = /^\d+,\s*-?\d+(?:,\s*-?\d+(?:\.\d+)?){4,8}\s*$/;

const truths = filePerPart(TRUTH, (text) => LINE.test(text.trimStart().split(/\r?\n/, 1)[0]!), 'the tracks of MOT');
export const detectMot: Detect = async (listing) =>
  truths({ ...listing, files: listing.files.filter((file) => TRUTH.test(file)) });

const NAMES = [
  ...['pedestrian', 'person on vehicle', 'car', 'bicycle', 'motorbike', 'non motorized vehicle', 'static person'],
  ...['distractor', 'occluder', 'occluder on the ground', 'occluder full', 'reflection', 'crowd'],
];

/** The sequences of the MOT challenge: gt/gt.txt beside the frames in img1/. Boxes that it does not score are ignored. */
export const mot = recordFormat(
  'mot',
  detectMot,
  textLayout((path) => TRUTH.test(path), readMot),
);

async function readMot(text: string, { file, wrong }: LabelFile): Promise<{ images: ImageRecord[] }> {
  const folder = join(dirname(file), '..', 'img1');
  const names = [...(await listFolder(folder))].filter((name) => IMAGE_EXTENSION.test(name)).sort();
  const objects = new Map(names.map((name) => [frameOf(name), [] as ObjectRecord[]]));
  text.split(/\r\n|[\n\r]/).forEach((line, index) => {
    if (line.trim() === '') return;
    const where = { file, line: index + 1 };
    const read = readLine(line, where);
    if (!read)
      wrong(
        'expected frame, track, left, top, width and height, and perhaps a mark and a whole number for the class, with commas',
        where,
      );
    else if (!objects.has(read.frame)) wrong(`there is no frame ${read.frame} in img1`, where);
    else objects.get(read.frame)!.push(read.object);
  });
  const images = names.map((name): ImageRecord => {
    return { name, file: join(folder, name), objects: objects.get(frameOf(name))!, where: { file } };
  });
  return { images };
}

const frameOf = (name: string): number => Number(/(\d+)\.\w+$/.exec(name)?.[1]);

function readLine(line: string, where: Where): { frame: number; object: ObjectRecord } | undefined {
  const numbers = line.split(',').flatMap((field) => toNumber(field) ?? []);
  if (numbers.length < 6 || numbers.length < line.split(',').length) return undefined;
  const [frame = 0, , x = 0, y = 0, w = 0, h = 0, counts, number = 1] = numbers;
  if (number !== -1 && !isClassNumber(number)) return undefined; // -1 stands for an unknown class
  const category = NAMES[Math.max(1, number) - 1] ?? String(number);
  const mark = counts === 0 ? ('ignore' as const) : undefined;
  const points = [x, y, x + w, y + h];
  return { frame, object: { category, points, form: 'box', unit: 'pixels', mark, where, subject: `frame ${frame}` } };
}
