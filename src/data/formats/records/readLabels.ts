import { readFile } from 'node:fs/promises';
import { FinetuneError } from '../../../errors.js';
import { scanned, type Scan } from '../../scan/scanCache.js';
import { decodeText } from '../decodeText.js';
import { offsetOfJsonError } from '../jsonError.js';
import { toNumber } from '../textFile.js';

/** Reads a file of labels as text, without waiting if it is in the cache. Throws E_LABEL_FILE if it cannot be read, E_ENCODING if it is no text. */
export const readLabelText = (file: string): string | Promise<string> =>
  scanned(SMALL_TEXTS, file, () => decodeFile(file));

/** Texts of data sets that have one for each image. */
const SMALL_TEXTS: Scan<string> = {
  name: 'texts',
  isSound: (value) => typeof value === 'string',
  keeps: ({ length }) => length <= 1000,
};

async function decodeFile(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const message =
      code === 'ENOENT'
        ? 'no such file'
        : code === 'ERR_FS_FILE_TOO_LARGE'
          ? 'the file is larger than 2 GB; split it'
          : `cannot be read (${code ?? String(error)})`;
    throw new FinetuneError({ code: 'E_LABEL_FILE', message, where: { file } }, { cause: error });
  });
  return decodeText(bytes, file);
}

/** Parses a JSON file of labels. Throws E_LABEL_SYNTAX with the line. */
export function parseLabelJson(text: string, file: string, firstLine = 1): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const line = firstLine - 1 + text.slice(0, offsetOfJsonError(message, text) ?? 0).split('\n').length;
    throw new FinetuneError(
      { code: 'E_LABEL_SYNTAX', message: `not JSON: ${message}`, where: { file, line } },
      { cause: error },
    );
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects of a list; an empty list for anything else. */
export const fieldsOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** A text that is not empty, or a number as text. */
export function asText(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim().normalize() : undefined;
}

/** A finite number, which may be written as a text. */
export function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' ? toNumber(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Finite numbers of the keys of an object; undefined if one is none. */
export function numbersOf(fields: unknown, ...keys: readonly string[]): number[] | undefined {
  if (!isFields(fields)) return undefined;
  const numbers = keys.map((key) => asNumber(fields[key]));
  return numbers.includes(undefined) ? undefined : (numbers as number[]);
}

/** A list of finite numbers; undefined if it is none. */
export function numberList(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.map(asNumber);
  return numbers.includes(undefined) ? undefined : (numbers as number[]);
}

/** Width and height, if both are positive numbers. */
export function sizeOf(
  width: unknown,
  height: unknown,
): { readonly width: number; readonly height: number } | undefined {
  const [w, h] = [asNumber(width), asNumber(height)];
  return w !== undefined && h !== undefined && w > 0 && h > 0 ? { width: w, height: h } : undefined;
}
