import { decodeText } from './decodeText.js';

/** Split a text into lines, LF, CRLF or CR, without the byte order mark. Throws E_ENCODING as decodeText does. */
export const readLines = (bytes: Uint8Array, file: string): string[] => decodeText(bytes, file).split(/\r\n|[\n\r]/);

/** Decimal numbers as people and programs write them; not the empty text, hexadecimal, NaN or Infinity. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Parses a number; undefined if the text is no number, or not a finite one. */
export function toNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}
