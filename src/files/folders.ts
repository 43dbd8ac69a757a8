import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { onDisk } from './disk.js';

/** Makes a folder and those around it, unless they are there. */
export const makeFolder = (folder: string): Promise<void> =>
  onDisk(folder, async () => {
    await mkdir(folder, { recursive: true }).catch(async (error: unknown) => {
      // For a disk that may not be written Node says ENOENT here. One folder at a time, it says why.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
      await makeFolder(dirname(folder));
      await mkdir(folder);
    });
  });

/** Writes a file that nobody reads before its folder is complete; for others there is writeAtomically. */
export const writeNew = (file: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<void> =>
  onDisk(file, () => writeFile(file, content));

export const move = (from: string, to: string): Promise<void> => onDisk(to, () => rename(from, to));

/** Copies a file. */
export const copyInto = (from: string, to: string): Promise<void> => onDisk(to, () => copyFile(from, to));

/** Gives a file a second name, or copies it where the disk cannot do that. */
export const linkInto = (from: string, to: string): Promise<void> => link(from, to).catch(() => copyInto(from, to));

/** Removes a file or a folder with all that is in it, if it is there. */
export const remove = (path: string): Promise<void> => onDisk(path, () => rm(path, { recursive: true, force: true }));

/** Removes what is of no use any more, if that is possible: an error here must not hide the one before it. */
export const discard = (path: string): Promise<void> => remove(path).catch(() => undefined);

/** Makes a folder whose path is `prefix` and six characters. */
export const makeTemporaryFolder = (prefix: string): Promise<string> => onDisk(dirname(prefix), () => mkdtemp(prefix));

/** Works with a folder whose path is `prefix` and six characters, and then removes it. */
export async function withTemporaryFolder<T>(prefix: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makeTemporaryFolder(prefix);
  try {
    return await work(folder);
  } finally {
    await discard(folder);
  }
}

/** Makes a folder by work on another one beside it, which takes its place at the end, so that a process that is killed
 *  leaves no half of it. `isThere` tells whether another process was first. */
export async function makeWhole(
  folder: string,
  work: (temporary: string) => Promise<void>,
  isThere: () => Promise<boolean>,
): Promise<void> {
  await makeFolder(dirname(folder));
  const temporary = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await work(temporary);
    await move(temporary, folder).catch(async (error: unknown) => {
      if (!(await isThere())) throw error;
    });
  } finally {
    await discard(temporary);
  }
}
