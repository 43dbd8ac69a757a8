import { decodeUtf8 } from './encoding.js';
import { CocoError, inFile } from './errors.js';
import { readJsonInPieces, type ReadChunk } from './jsonPieces.js';
import { findSyntaxError } from './jsonSyntax.js';

/** Length of the longest string in V8; longer files are read in pieces. */
const LONGEST_STRING = 0x1fffffe8;

export interface LoadJsonOptions {
  /** Read in pieces, without holding the whole text. Default: only if the text does not fit a string (512 MB). */
  readonly stream?: boolean;
}

/** Parse a JSON file. Throws E_COCO_FILE, E_COCO_ENCODING, or E_COCO_JSON / E_COCO_NUMBER with byte offset, JSON path and (unless
 *  streamed) line and column. */
export async function loadJson(file: string, { stream }: LoadJsonOptions = {}): Promise<unknown> {
  const { readFileSync, statSync } = await import('node:fs');
  try {
    const whole = !(stream ?? reading(() => statSync(file)).size > LONGEST_STRING);
    if (whole) return parseJson(reading(() => readFileSync(file)));
    return await withChunks(file, readJsonInPieces);
  } catch (error) {
    throw inFile(error, file);
  }
}

/** Parse the bytes of a JSON text. Throws as loadJson does. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    const located = findSyntaxError(bytes);
    throw located ?? new CocoError({ code: 'E_COCO_JSON', message: (error as Error).message }, { cause: error });
  }
}

/** Run `work` on an open file. */
export async function withChunks<T>(file: string, work: (read: ReadChunk) => T): Promise<T> {
  const { closeSync, openSync, readSync } = await import('node:fs');
  const handle = reading(() => openSync(file, 'r'));
  try {
    return work((into) => reading(() => readSync(handle, into)));
  } finally {
    closeSync(handle);
  }
}

/** Rethrows a system error (ENOENT: no such file …) as E_COCO_FILE. */
function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CocoError({ code: 'E_COCO_FILE', message: (error as Error).message }, { cause: error });
  }
}
