import { readdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { appendTo, type Appending } from '../../files/appendTo.js';
import { onDisk } from '../../files/disk.js';
import { makeFolder, remove } from '../../files/folders.js';
import { pathBelow } from '../../files/pathBelow.js';
import { writeAtomically } from '../../files/writeAtomically.js';

/** The folder for the results of a command. */
export interface OutFolder {
  /** Writes a file at a path below the folder, with forward slashes. Throws E_PREDICT_OUT for a path that leads out of
   *  it, and E_DISK_…. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Opens a new file to write piece by piece. */
  append(path: string): Promise<Appending>;
  /** Removes the folder if it was made and nothing was written into it. Returns whether something was. */
  close(): Promise<boolean>;
}

export interface OutOptions {
  /** Whether the folder may have files, which are replaced where names are the same. */
  readonly overwrite: boolean;
  /** The files that are read, which no result may replace. */
  readonly inputs: readonly string[];
  /** The paths below the folder that will be written. */
  readonly planned: readonly string[];
}

/** Makes the folder, or opens it if it is empty. Throws E_PREDICT_OUT if it has files that may not be replaced, or if a
 *  result would replace an image that is read, and E_DISK_…. */
export async function openOutFolder(path: string, { overwrite, inputs, planned }: OutOptions): Promise<OutFolder> {
  const folder = resolve(path);
  const made = await makeFolder(folder);
  let isWritten = false;
  const held = await onDisk(folder, () => readdir(folder));
  if (held.length > 0) {
    if (!overwrite) throw refusal(folder, 'the folder for the results is not empty', NOT_EMPTY);
    const real = await realpath(folder);
    const read = new Set(await Promise.all(inputs.map((file) => realpath(file).catch(() => resolve(file)))));
    const lost = planned.find((name) => read.has(join(real, name)));
    if (lost !== undefined)
      throw refusal(join(folder, lost), 'a result would replace this image, which is read', ELSEWHERE);
  }
  const placeOf = async (name: string): Promise<string> => {
    const place = await pathBelow(folder, name);
    if ('refused' in place) throw refusal(join(folder, name), `this may not be written: ${place.refused}`, ELSEWHERE);
    return place.file;
  };
  /** Makes the folders around a file, writes it, and removes them again if that fails. */
  const writeInto = async <T>(file: string, write: () => Promise<T> | T): Promise<T> => {
    const around = await makeFolder(dirname(file));
    try {
      const written = await write();
      isWritten = true;
      return written;
    } catch (error) {
      await around.removeIfEmpty();
      throw error;
    }
  };
  return {
    async write(name, bytes) {
      const file = await placeOf(name);
      await writeInto(file, () => writeAtomically(file, [bytes], { isDurable: false })); // it can be made again
    },
    async append(name) {
      const file = await placeOf(name);
      await remove(file);
      return writeInto(file, () => appendTo(file, { isNew: true }));
    },
    async close() {
      await made.removeIfEmpty();
      return isWritten;
    },
  };
}

const NOT_EMPTY =
  'choose another --out; or add --overwrite, which replaces files of the same names and leaves the others';
const ELSEWHERE = 'choose another --out';

const refusal = (file: string, message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_PREDICT_OUT', message, where: { file }, fix });
