import { readFile } from 'node:fs/promises';
import { FinetuneError } from '../../errors.js';
import { offsetOfJsonError } from './jsonError.js';
import { decodeText } from './decodeText.js';

/** Maximum length of a string in V8 (512 MB). */
export const LONGEST_TEXT = 0x1fffffe8;

/** Reads the text of a COCO file, with quotes around ids beyond 2^53. Throws E_COCO_FILE if it cannot be read,
 *  E_ENCODING if it is not UTF-8 or UTF-16. */
export const readCocoText = async (file: string): Promise<string> =>
  quoteLongIds(decodeText(await readBytes(file), file));

/** Reads a COCO file. Ids beyond 2^53, which a number cannot hold exactly, become texts. Throws as readCocoText does,
 *  and E_COCO_JSON if it is not JSON. */
export const readCocoJson = async (file: string): Promise<unknown> => parse(file, await readCocoText(file));

/** Puts quotes around ids of 16 and more digits, since numbers beyond 2^53 lose their last digits. A quote inside a JSON
 *  text is escaped, so only keys and values are found. */
const quoteLongIds = (json: string): string =>
  json.replace(/("(?:id|image_id|category_id)"\s*:\s*)(-?\d{16,})(?=\s*[,}])/g, (whole, key: string, digits: string) =>
    Number.isSafeInteger(Number(digits)) ? whole : `${key}"${digits}"`,
  );

async function readBytes(file: string): Promise<Uint8Array> {
  const fail = (message: string, cause?: unknown): never => {
    throw new FinetuneError({ code: 'E_COCO_FILE', message, where: { file } }, { cause });
  };
  const bytes = await readFile(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return fail('no such annotation file', error);
    return code === 'ERR_FS_FILE_TOO_LARGE' ? undefined : fail(`cannot be read (${code ?? String(error)})`, error);
  });
  if (bytes === undefined || bytes.length > LONGEST_TEXT)
    return fail('the file is larger than 512 MB, which JavaScript cannot hold as one string; split it');
  return bytes;
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const offset = offsetOfJsonError(message, text);
    const before = offset === undefined ? undefined : text.slice(0, offset).split('\n');
    const place = before && { line: before.length, column: before.at(-1)!.length + 1 };
    throw new FinetuneError(
      { code: 'E_COCO_JSON', message: `not JSON: ${message}`, where: { file, ...place } },
      { cause: error },
    );
  }
}
