import type { Fields } from './icdarLine.js';

/** The outline in a line of a text file. A rectangle has two points: top left and bottom right. */
export interface Outline {
  readonly isRectangle: boolean;
  /** x1, y1, x2, y2, … */
  readonly points: readonly number[];
}

export interface Word extends Outline {
  readonly transcription: string;
  /** The word is unreadable, and the score counts neither finding nor missing it. */
  readonly dontCare: boolean;
}

export interface ReadingOptions {
  /** Whether the files have transcriptions. */
  readonly transcriptions: boolean;
}

/** The rules of one layout of ground-truth files. */
export interface Layout {
  /** A line, for people. */
  readonly form: string;
  /** Reads a line; returns a sentence that says what is wrong if it is not of this layout. */
  readonly read: (fields: Fields, options: ReadingOptions) => Word | string;
  /** Whether a line that can be read looks as if it was meant so (default: always). A transcription that begins with
   *  several numbers is more likely the rest of a polygon. */
  readonly isNatural?: (fields: Fields) => boolean;
  /** Whether a line that can be read has a mark that no other layout has in that place (default: never). */
  readonly isMarked?: (fields: Fields) => boolean;
}

/** The transcription of an unreadable word in the ICDAR challenges. */
export const UNREADABLE = '###';

export const isPolygon = (count: number): boolean => count >= 8 && count % 2 === 0;

export const isQuoted = (text: string): boolean => text.trimStart().startsWith('"');

/** Whether a text is one number with separators: 1,200 or 1,250,000 or 12,99. */
export const isFormatted = (text: string): boolean => /^(?:\d{1,3}(?:,\d{3})+|\d{1,3},\d\d)$/.test(text.trim());

/** The numbers that follow the first `count` ones: how many, and whether they form a single one with separators. */
export function numbersAfter(
  { numbers, rest }: Fields,
  count: number,
): { readonly many: number; readonly formatted: boolean } {
  const many = Math.max(0, numbers.length - count);
  return { many, formatted: isFormatted(rest(count).split(',').slice(0, many).join(',')) };
}

/** Whether numbers that follow the first `count` ones are more likely the rest of an outline, or a field of another
 *  layout, than the beginning of a transcription. */
export function continuesOutline(fields: Fields, count: number): boolean {
  const { many, formatted } = numbersAfter(fields, count);
  if (count === 4 && many >= 4) return true; // coordinates of three digits have the form of a number in the billions
  if (many > 0 && fields.hasText && isQuoted(fields.rest(count + many))) return true;
  return many >= 4 && !formatted;
}

/** How many numbers a line has, and what follows them. */
export function describeFields({ numbers, hasText, rest }: Fields): string {
  const found = numbers.length === 1 ? '1 number' : `${numbers.length} numbers`;
  return `${found}${hasText ? ` before "${shorten(rest(numbers.length))}"` : ''}`;
}

export const shorten = (text: string): string => (text.length > 30 ? `${text.slice(0, 29)}…` : text).trim();
