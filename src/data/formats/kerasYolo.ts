import { join } from 'node:path';
import { counted, filesLike, type Detect } from './detect/detected.js';
import { listFiles } from './detect/listing.js';
import { filesInParts, folderOf } from './detect/parts.js';
import { isClassNumber } from './records/classNumber.js';
import { readLabelText } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord, PartRecords } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { textLayout, type LabelFile } from './records/textLayout.js';
import { toNumber } from './textFile.js';

/** A line: the name of an image, which may have blanks, and a group `x1,y1,x2,y2,class` for each object. */
const LINE = /^(\S.*?\.(?:jpe?g|png|bmp|webp|gif|tiff?))((?:\s+[-+.\d]+(?:,[-+.\d]+){4})*)\s*$/i;
const NAMES = /(?:^|\/)(?:[^/]*_)?(?:classes|class_names)\.(?:txt|names)$/i;

const isLabels = (text: string): boolean => {
  const lines = text.split(/\r\n|[\n\r]/).filter((line) => line.trim() !== '').slice(0, 50); // prettier-ignore
  const found = lines.map((line) => LINE.exec(line));
  return found.some((one) => one?.[2] !== undefined && one[2].trim() !== '') && !found.includes(null);
};

export const detectKerasYolo: Detect = async (listing) => {
  const texts = listing.files.filter((file) => /\.txt$/i.test(file) && !NAMES.test(file)).slice(0, 200);
  const found = await filesLike(listing, texts, isLabels);
  if (found.length === 0) return undefined;
  const why = `${counted(found.length, 'text file')} ${found.length === 1 ? 'has' : 'have'} an image and its boxes in each line`;
  return { certainty: 0.97, why, ...filesInParts(found) };
};

/** The text files of keras-yolo3 and its successors, which Roboflow writes too: an image and its boxes in each line. */
export const kerasYolo = recordFormat(
  'keras-yolo',
  detectKerasYolo,
  textLayout((path) => /\.txt$/i.test(path) && !NAMES.test(path), read),
);

async function read(text: string, label: LabelFile): Promise<PartRecords> {
  const { file, root, wrong } = label;
  const names = await namesFor(file, root);
  const images = text.split(/\r\n|[\n\r]/).flatMap((line, index): ImageRecord[] => {
    if (line.trim() === '') return [];
    const where = { file, line: index + 1 };
    const [, name, groups] = LINE.exec(line) ?? [];
    if (name === undefined) {
      wrong('expected the name of an image and groups x1,y1,x2,y2,class', where);
      return [];
    }
    const objects = groups!.trim().split(/\s+/).filter((group) => group !== '').flatMap((group): ObjectRecord[] => {
      const numbers = group.split(',').map(toNumber);
      const number = numbers[4];
      const subject = `the box ${group}`;
      if (numbers.includes(undefined)) wrong(`${subject} has a value that is no number`, where);
      else {
        const category = isClassNumber(number) ? (names ? names[number] : String(number)) : undefined;
        if (category !== undefined)
          return [{ category, points: numbers.slice(0, 4) as number[], form: 'box', unit: 'pixels', where, subject }];
        wrong(`there is no class ${number}${names ? `; the file of classes has ${names.length}` : ''}`, where);
      }
      return [];
    }); // prettier-ignore
    return [{ name, objects, where }];
  });
  return { images };
}

/** The names of the classes, one a line, of the file beside the labels or of the only one in the data set. */
async function namesFor(file: string, root: string): Promise<readonly string[] | undefined> {
  const found = (await listFiles(root)).files.filter((path) => NAMES.test(path));
  const beside = found.find((path) => join(root, folderOf(path)) === join(file, '..'));
  const path = beside ?? (found.length === 1 ? found[0] : undefined);
  if (path === undefined) return undefined;
  const lines = (await readLabelText(join(root, path))).trimEnd().split(/\r\n|[\n\r]/);
  return lines.map((line, number) => line.trim().normalize() || `class ${number}`);
}
