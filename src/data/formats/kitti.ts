import { lineFormat, type LineReading } from './records/lineFormat.js';
import { toNumber } from './textFile.js';

/** KITTI: type, truncated, occluded, alpha; the box; seven numbers in space, and maybe a score. */
const LINE = /^\s*\p{L}[^\n]*?(?:\s+[-+]?\d*\.?\d+(?:e[-+]?\d+)?){14,15}\s*$/iu;

/** KITTI's labels of objects in the image: label_2/, with the images in image_2/. Regions called DontCare are left out. */
export const { detect: detectKitti, open: kitti } = lineFormat({
  format: 'kitti',
  line: LINE,
  what: 'the 15 columns of KITTI',
  read: readLine,
});

function readLine(line: string): LineReading {
  const fields = line.split(/\s+/);
  const numbers = fields.slice(fields.findLastIndex((field) => toNumber(field) === undefined) + 1);
  const category = fields.slice(0, -numbers.length).join(' ');
  if (category === '' || numbers.length < 14 || numbers.length > 15)
    return {
      wrong: `expected a class and the 14 numbers of KITTI, and maybe a score; found ${numbers.length} numbers`,
    };
  if (category === 'DontCare') return { leftOut: 'DontCare region, left out' };
  return { category, points: numbers.slice(3, 7).map(Number), form: 'box' };
}
