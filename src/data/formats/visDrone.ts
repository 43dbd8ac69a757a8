import { lineFormat, type LineReading } from './records/lineFormat.js';

/** Left, top, width, height, score, class, truncation and occlusion. */
export const VISDRONE_LINE = /^\s*(?:-?\d+,){4}[01],(?:\d|1[01]),[01],[0-2],?\s*$/;

const NAMES = [
  ...['ignored region', 'pedestrian', 'people', 'bicycle', 'car', 'van', 'truck', 'tricycle', 'awning-tricycle'],
  ...['bus', 'motor', 'others'],
];

/** VisDrone: annotations/ with a file for each image. Objects that it does not score are ignored. */
export const { detect: detectVisDrone, open: visDrone } = lineFormat({
  format: 'visdrone',
  line: VISDRONE_LINE,
  what: 'the eight columns of VisDrone',
  read: readLine,
});

function readLine(line: string): LineReading {
  if (!VISDRONE_LINE.test(line)) return { wrong: 'expected the eight columns of VisDrone' };
  const [x, y, w, h, score, number] = line.split(',').map(Number) as [number, number, number, number, number, number];
  const category = NAMES[number]!;
  if (category === NAMES[0]) return { leftOut: 'ignored region, left out' };
  return { category, points: [x, y, x + w, y + h], form: 'box', mark: score === 0 ? 'ignore' : undefined };
}
