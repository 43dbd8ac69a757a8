import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, mkdtemp, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { onDisk } from './disk.js';

/** What was done to have a folder. */
export interface MadeFolder {
  /** Removes the folders that were made, as far as they are empty: for a command that fails before it writes. */
  removeIfEmpty(): Promise<void>;
}

/** Makes a folder and those around it, unless they are there. */
export async function makeFolder(folder: string): Promise<MadeFolder> {
  const made = await onDisk(folder, () => mkdirs(resolve(folder)));
  return {
    async removeIfEmpty() {
      try {
        for (const path of made.reverse()) await rmdir(path);
      } catch {
        // it has files, or is gone
      }
    },
  };
}

/** Makes an absolute path's folders, and returns those that were not there, the outer ones first. For a disk that may not
 *  be written, Node's own way to make several at once says ENOENT; one at a time, it says why. */
async function mkdirs(folder: string): Promise<string[]> {
  const attempt = (): Promise<string[]> =>
    mkdir(folder).then(
      () => [folder],
      async (error: unknown) => {
        if (await isFolder(folder)) return [];
        throw error;
      },
    );
  try {
    return await attempt();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    return [...(await mkdirs(dirname(folder))), ...(await attempt())];
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

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
  const around = await makeFolder(dirname(folder));
  const temporary = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await work(temporary);
    await move(temporary, folder).catch(async (error: unknown) => {
      if (!(await isThere())) throw error;
    });
  } finally {
    await discard(temporary);
    await around.removeIfEmpty();
  }
}
