import { lineFormat, type LineReading } from './records/lineFormat.js';

/** The corners of a rotated box, a class, and how difficult it is: a word of text has no such number behind it. */
export const DOTA_LINE = /^\s*((?:[-+]?\d+(?:\.\d+)?\s+){8})(\S*\p{L}.*?)\s([0-2])\s*$/u;
/** Lines before the objects. */
export const DOTA_HEAD = /^\s*(?:imagesource|gsd)\s*:/i;

/** DOTA: labelTxt/ with a file for each image; Roboflow's rotated boxes have it too. Difficult objects are ignored. */
export const { detect: detectDota, open: dota } = lineFormat({
  format: 'dota',
  line: DOTA_LINE,
  skip: DOTA_HEAD,
  what: 'lines of four corners and a class, as DOTA has them',
  read: readLine,
});

function readLine(line: string): LineReading {
  const [, corners, category, difficulty] = DOTA_LINE.exec(line) ?? [];
  if (corners === undefined || category === undefined)
    return { wrong: 'expected the four corners of a rotated box, a class and its difficulty' };
  const points = corners.trim().split(/\s+/).map(Number);
  return { category, points, form: 'outline', mark: difficulty === '1' ? 'ignore' : undefined };
}
