import type { Problem } from '../errors.js';
import type { Findings } from '../data/findings.js';
import type { TextFile } from '../data/formats/text/icdarArchive.js';
import type { Line } from '../data/formats/text/icdarLine.js';
import { checkOutline, ICDAR_LINE, linesOf } from '../data/formats/text/icdarTruth.js';
import { describeFields, numbersAfter, shorten, type Outline } from '../data/formats/text/layout.js';

export interface TextDetection extends Outline {
  readonly confidence: number | undefined;
}

/** What the lines of results are; `auto`: 4 numbers are a rectangle, 8 and more a polygon. */
export const resultLayouts = ['auto', 'rectangles', 'quads', 'polygons'] as const;
export type ResultLayout = (typeof resultLayouts)[number];

/** Reads result files: the detections of each, in the files' order. A number after the outline is the confidence. Text
 *  after the numbers (end-to-end results) is ignored and counted in `findings`, where problems go, too: E_ICDAR_LINE,
 *  _BOX, and E_ICDAR_LAYOUT where `auto` has two readings. */
export function readDetections(
  files: readonly (TextFile | undefined)[],
  layout: ResultLayout,
  findings: Findings,
): TextDetection[][] {
  const rows = files.map((one) => (one ? linesOf(one, findings) : []));
  const problem = layout === 'auto' ? question(rows.flat()) : undefined;
  if (problem) findings.problem(problem);
  return rows.map((lines) => (problem ? [] : lines.flatMap((row) => readDetection(row, layout, findings) ?? [])));
}

function readDetection(row: Line, layout: ResultLayout, findings: Findings): TextDetection | undefined {
  const { file, line, fields } = row;
  const { numbers, hasText, rest } = fields;
  const available = numbers.length;
  const count = coordinates(available, layout);
  const where = { file, line };
  if (count === undefined) {
    const wanted = { auto: '4, 8 or more', rectangles: '4', quads: '8', polygons: '8 or more' }[layout];
    const message = `expected ${wanted} numbers, found ${describeFields(fields)}`;
    const fix = 'a detection is left,top,right,bottom or x1,y1,…,x4,y4; a confidence may follow';
    findings.problem({ code: ICDAR_LINE, message, where, fix });
    return undefined;
  }
  if (hasText && toldNotANumber.test(rest(available))) {
    findings.problem({ code: ICDAR_LINE, message: `"${shorten(rest(available))}" is not a number`, where });
    return undefined;
  }
  if (hasText || available > count + 1)
    findings.count('detection lines with a text after the numbers, which is not looked at');
  const outline = { isRectangle: count === 4, points: numbers.slice(0, count) };
  if (!checkOutline(outline, row, findings)) return undefined;
  return { ...outline, confidence: available === count + 1 ? numbers[count] : undefined };
}

/** How many of a line's numbers are coordinates; undefined if there are too few. */
function coordinates(available: number, layout: ResultLayout): number | undefined {
  switch (layout) {
    case 'rectangles':
      return available < 4 ? undefined : 4;
    case 'quads':
      return available < 8 ? undefined : 8;
    case 'polygons':
      return available < 8 ? undefined : available & ~1;
    case 'auto':
      return available < 4 || available === 6 || available === 7 ? undefined : available < 6 ? 4 : available & ~1;
  }
}

/** The words of end-to-end results can be numbers, such as 1,200, which have the form of further points. It is a question
 *  if no outline has other points, or if other lines have a word after four points. */
function question(lines: readonly Line[]): Problem | undefined {
  const long = lines.filter(({ fields }) => fields.numbers.length > 9);
  const hasWords = lines.some(({ fields }) => fields.hasText && fields.numbers.length === 8);
  const first = hasWords ? long.find(({ fields }) => !fields.hasText) : long[0];
  if (!first || !(hasWords || long.every(({ fields }) => numbersAfter(fields, 8).formatted))) return undefined;
  const { numbers, rest } = first.fields;
  return {
    code: 'E_ICDAR_LAYOUT',
    message: `the line can be read as ${numbers.length >> 1} points; or as 4 points and the text "${shorten(rest(8))}"`,
    where: { file: first.file, line: first.line },
    fix: 'say which layout the results have: --dt-layout polygons, or --dt-layout quads',
  };
}

/** Whether a text is a failed number such as NaN, and not a word. */
const toldNotANumber = /^\s*[+-]?(?:nan|inf|infinity|null|none)\s*(?:,|$)/i;
