import { FinetuneError } from '../../errors.js';

/** Split a text into lines, LF or CRLF, without the byte order mark. Throws E_ENCODING with the first line that is not
 *  UTF-8. */
export function readLines(bytes: Uint8Array, file: string): string[] {
  return decodeUtf8(bytes, file).split(/\r\n|[\n\r]/);
}

/** Decode a text, without the byte order mark. Throws E_ENCODING with the first line that is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (!isUtf16 && !bytes.includes(0)) {
    try {
      return strict().decode(bytes);
    } catch {
      // the error below names the line
    }
  }
  const line = isUtf16 ? 1 : firstBadLine(bytes);
  throw new FinetuneError({
    code: 'E_ENCODING',
    message: isUtf16 ? 'the file is UTF-16' : 'not UTF-8 text',
    where: { file, line },
    fix: 'save it as UTF-8',
  });
}

const strict = () => new TextDecoder('utf-8', { fatal: true });

function firstBadLine(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 1; start <= bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const row = bytes.subarray(start, newline < 0 ? bytes.length : newline); // no UTF-8 sequence holds a newline
    if (row.includes(0)) return line;
    try {
      strict().decode(row);
    } catch {
      return line;
    }
    if (newline < 0) break;
    start = newline + 1;
  }
  return 1;
}

/** Decimal numbers as people and programs write them; not the empty text, hexadecimal, NaN or Infinity. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Parses a number; undefined if the text is no number, or not a finite one. */
export function toNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}
