import { toNumber } from '../textFile.js';
import { unquote, type Fields } from './icdarLine.js';
import { describeFields, isFormatted, shorten, UNREADABLE, type Layout } from './layout.js';

/** The transcription and the orientation of an unreadable word (github.com/cs-chan/Total-Text-Dataset,
 *  Groundtruth/Text/README.md). */
const DONT_CARE = '#';

/** Reads x1,y1,…,xn,yn,text: polygons of any length, as most copies of Total-Text have them. An odd number before the
 *  text, or in its place, belongs to the text. */
export function readPolygon(
  fields: Fields,
  { transcriptions }: Parameters<Layout['read']>[1],
): ReturnType<Layout['read']> {
  const { numbers, hasText, rest } = fields;
  const available = numbers.length;
  const count = available & ~1;
  const isBare = !hasText && available === count;
  if (count < 8 || (isBare && transcriptions && count === 8))
    return `expected 8 or more coordinates and a text, found ${describeFields(fields)}`;
  const shorter = rest(count - 2);
  const hasZeros = !hasText && /,0\d\d\s*$/.test(shorter) && isFormatted(shorter);
  if (transcriptions && (isBare || hasZeros)) {
    const most = isBare ? 'without a text' : `and the text "${shorten(rest(count))}"`;
    return `${available} numbers can be ${count / 2} points ${most}, or ${count / 2 - 1} points and the text "${shorten(shorter)}"; write a text of numbers in quotes`;
  }
  const transcription = unquote(rest(count));
  const dontCare = transcription === DONT_CARE || transcription === UNREADABLE;
  return { isRectangle: false, points: numbers.slice(0, count), transcription, dontCare };
}

export const NATIVE_FORM = "x: [[x1 … xn]], y: [[y1 … yn]], ornt: [u'c'], transcriptions: [u'text']";

const NATIVE =
  /^\s*x:\s*\[\[([^\]]*)\]\]\s*,\s*y:\s*\[\[([^\]]*)\]\]\s*,\s*ornt:\s*\[([^\]]*)\]\s*,\s*transcriptions:\s*\[(.*)\]\s*$/s;

/** Whether a line begins a record of Total-Text's own txt files; further lines may belong to it. */
export const beginsNative = (line: string): boolean => /^\s*x:\s*\[\[/.test(line);

/** Reads a record of Total-Text's own txt files, which NumPy and Python have printed. */
export function readNative(text: string): ReturnType<Layout['read']> {
  const found = NATIVE.exec(text);
  if (!found) return `expected ${NATIVE_FORM}`;
  const [xs, ys] = [toNumbers(found[1]!), toNumbers(found[2]!)];
  if (xs.length !== ys.length || xs.length < 3 || ![...xs, ...ys].every(Number.isFinite))
    return `expected 3 or more numbers for x and as many for y, found ${xs.length} and ${ys.length}`;
  const transcription = unprint(found[4]!);
  const dontCare = transcription === DONT_CARE || unprint(found[3]!) === DONT_CARE;
  return { isRectangle: false, points: xs.flatMap((x, i) => [x, ys[i]!]), transcription, dontCare };
}

const toNumbers = (list: string): number[] =>
  list
    .trim()
    .split(/[\s,]+/)
    .map((number) => toNumber(number) ?? NaN);

/** The text that Python prints as u'…' or "…". */
function unprint(printed: string): string {
  const quoted = /^\s*[uU]?(['"])(.*)\1\s*$/s.exec(printed);
  if (!quoted) return printed.trim();
  return quoted[2]!.replace(/\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|.)/gi, (escaped) =>
    escaped.length > 2 ? String.fromCharCode(parseInt(escaped.slice(2), 16)) : escaped.slice(1),
  );
}
