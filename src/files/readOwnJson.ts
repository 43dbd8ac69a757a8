import { readFile } from 'node:fs/promises';
import { FinetuneError } from '../errors.js';
import { readError } from './disk.js';

export interface ReadOwnJsonOptions<T> {
  /** Returns the content if it has the right shape, and throws otherwise. */
  readonly parse: (content: unknown) => T;
  /** What to do when the file is damaged. */
  readonly fix: string;
}

/** Reads a JSON file that this package has written; undefined if there is none. A disk may have lost a part of it, and a
 *  person may have changed it: throws E_FILE_DAMAGED, and E_DISK_READ. */
export async function readOwnJson<T>(file: string, { parse, fix }: ReadOwnJsonOptions<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw readError(error);
  }
  try {
    return parse(JSON.parse(text));
  } catch (cause) {
    const message = 'this file is not as it was written: it is cut short, or has been changed';
    throw new FinetuneError({ code: 'E_FILE_DAMAGED', message, where: { file }, fix }, { cause });
  }
}
