import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FinetuneError, type Problem } from '../errors.js';

export interface WriteOptions {
  /** Where the file as it was is kept. */
  readonly previous?: string | undefined;
}

/** Writes text, or parts one after the other, so that the file is either as it was or complete, whenever the process or the
 *  machine dies: temporary file beside it, fsync, rename, fsync of the folder, which must exist.
 *  Throws E_DISK_FULL, E_DISK_READ_ONLY, E_DISK_WRITE; the file is then as it was. */
export async function writeAtomically(
  file: string,
  content: string | Iterable<Uint8Array>,
  { previous }: WriteOptions = {},
): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      // writeFile on a handle goes on where the last one ended
      if (typeof content === 'string') await handle.writeFile(content);
      else for (const part of content) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (previous !== undefined) await keep(file, previous);
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(file, error);
  }
}

/** A second name for the file before it is replaced: at every moment one of the two is complete. */
async function keep(file: string, previous: string): Promise<void> {
  const second = `${previous}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await link(file, second);
    await rename(second, previous);
  } catch (error) {
    await rm(second, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return; // the first one
    // A disk without hard links (FAT, some network drives): the two renames then leave an instant in which only `previous` is there.
    await rename(file, previous);
  }
}

/** A rename is on the disk when its folder is; Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** What the operating system says, in words with a way out. Errors of others pass through. */
function writeError(file: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const problem = problems[code ?? ''] ?? (code && { code: 'E_DISK_WRITE', message: `cannot write: ${message}` });
  return problem ? new FinetuneError({ ...problem, where: { file } }, { cause: error }) : error;
}

const full = {
  code: 'E_DISK_FULL',
  message: 'there is no room to write this file; what was there before is untouched',
  fix: 'free some space, or choose a folder on another disk',
} as const;
const readOnly = {
  code: 'E_DISK_READ_ONLY',
  message: 'this folder may not be written',
  fix: 'give yourself the right to, or choose another folder',
} as const;
const problems: Readonly<Record<string, Problem>> = {
  ENOSPC: full,
  EDQUOT: { ...full, message: 'your quota on this disk is used up; what was there before is untouched' },
  EFBIG: { ...full, message: 'the limit on the size of a file (ulimit -f, or the file system) is less than this file' },
  EACCES: readOnly,
  EPERM: readOnly,
  EROFS: readOnly,
};
