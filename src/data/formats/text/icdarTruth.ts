import { FinetuneError, type Problem } from '../../../errors.js';
import type { Findings } from '../../findings.js';
import type { TextFile } from './icdarArchive.js';
import { cutFields, unquote, type Fields } from './icdarLine.js';
import { readLines } from '../textFile.js';

/** The outline in a line of ground truth. A rectangle has two points: top left and bottom right. */
export interface Outline {
  readonly isRectangle: boolean;
  /** x1, y1, x2, y2, … */
  readonly points: readonly number[];
}

export interface Word extends Outline {
  readonly transcription: string;
  /** The transcription is "###": the word is unreadable, and the score counts neither finding nor missing it. */
  readonly dontCare: boolean;
}

interface Line {
  readonly file: string;
  readonly line: number;
  readonly fields: Fields;
}

/** The forms of ground truth: rectangles (2013), quads (2015), polygons of any length. A set of files has one of them. */
type Form = 'rectangle' | 'quad' | 'polygon';

export const ICDAR_LINE: Problem['code'] = 'E_ICDAR_LINE';

/** Read ground-truth files: the words of each, in the files' order. The number of coordinates in a line is decided for
 *  the whole set, since a transcription can be a number itself ("…,130,1,000"). Problems go to `findings`. */
export function readTruth(
  files: readonly TextFile[],
  findings: Findings,
): { readonly form: Form; readonly words: Word[][] } {
  const lines = files.map(({ file, bytes }) => numberedLines(readLines(bytes, file), file));
  const form = formOf(lines.flat());
  const bare = form === 'polygon' && lines.flat().every(({ fields }) => !fields.hasText);
  const words = lines.map((rows) =>
    rows.flatMap((row) => {
      const count = coordinates(row.fields, form, bare);
      const { numbers, rest } = row.fields;
      if (count === undefined) {
        const wanted = form === 'rectangle' ? '4 numbers' : form === 'quad' ? '8 numbers' : '8 or more numbers';
        const found = numbers.length === 1 ? '1 number' : `${numbers.length} numbers`;
        findings.problem({
          code: ICDAR_LINE,
          message: `expected ${wanted}, found ${found}${row.fields.hasText ? ` before "${shorten(rest(numbers.length))}"` : ''}`,
          where: row,
        });
        return [];
      }
      const outline = checkOutline(numbers.slice(0, count), form === 'rectangle', row, findings);
      const transcription = unquote(rest(count));
      return outline ? [{ ...outline, transcription, dontCare: transcription === '###' }] : [];
    }),
  );
  return { form, words };
}

/** Maximum number of words or detections of an image, since each word is compared with each detection. */
const MOST_LINES = 4000;

/** The lines that are not empty, with their numbers. Throws E_ICDAR_LIMIT for more than MOST_LINES. */
export function numberedLines(lines: readonly string[], file: string): Line[] {
  const numbered = lines.flatMap((text, i) => (text.trim() === '' ? [] : [{ text, line: i + 1 }]));
  if (numbered.length > MOST_LINES) {
    const message = `${numbered.length} boxes on one image; at most ${MOST_LINES} are allowed`;
    throw new FinetuneError({ code: 'E_ICDAR_LIMIT', message, where: { file, line: numbered[MOST_LINES]!.line } });
  }
  return numbered.map(({ text, line }) => ({ file, line, fields: cutFields(text) }));
}

/** Share of lines with 10 or more numbers from which a set is taken for polygons: in a set of quads, a few
 *  transcriptions may begin with numbers. */
const RARE = 0.05;

function formOf(lines: readonly Line[]): Form {
  const share = (test: (numbers: number) => boolean) =>
    lines.filter(({ fields }) => test(fields.numbers.length)).length / Math.max(1, lines.length);
  if (share((numbers) => numbers >= 4 && numbers < 8) > 0.5) return 'rectangle';
  return share((numbers) => numbers >= 10) < RARE ? 'quad' : 'polygon';
}

/** How many of a line's numbers are coordinates; undefined if there are too few. `bare`: the set has no transcriptions. */
function coordinates({ numbers, hasText }: Fields, form: Form, bare: boolean): number | undefined {
  const available = numbers.length;
  if (form !== 'polygon') {
    const wanted = form === 'rectangle' ? 4 : 8;
    return available < wanted ? undefined : wanted;
  }
  const candidates = hasText || bare ? available : available - 1; // otherwise the last one is the transcription
  return candidates < 8 ? undefined : candidates & ~1;
}

/** Largest coordinate: the official scripts store coordinates as 32-bit integers. */
const FARTHEST = 2 ** 31 - 1;

/** Returns undefined, and adds a problem, if a coordinate is too large or a rectangle has its corners in the wrong
 *  order. */
export function checkOutline(
  points: readonly number[],
  isRectangle: boolean,
  { file, line }: { readonly file: string; readonly line: number },
  findings: Findings,
): Outline | undefined {
  const where = { file, line };
  const far = points.find((value) => Math.abs(value) > FARTHEST);
  if (far !== undefined) {
    findings.problem({ code: ICDAR_LINE, message: `${far} is too large for a pixel coordinate`, where });
    return undefined;
  }
  const [left, top, right, bottom] = points as [number, number, number, number];
  if (isRectangle && (right < left || bottom < top)) {
    const message = right < left ? `right (${right}) < left (${left})` : `bottom (${bottom}) < top (${top})`;
    const fix = 'write a rectangle as left, top, right, bottom; not as x, y, width, height';
    findings.problem({ code: 'E_ICDAR_BOX', message, where, fix });
    return undefined;
  }
  return { isRectangle, points };
}

export const shorten = (text: string): string => (text.length > 30 ? `${text.slice(0, 29)}…` : text).trim();
