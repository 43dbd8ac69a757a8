import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FinetuneError } from '../errors.js';
import { diskError } from './disk.js';

export interface WriteOptions {
  /** Path under which the old file is kept. */
  readonly previous?: string | undefined;
  /** Whether the file must survive the end of the machine, which takes the disk's time. Default: yes. */
  readonly isDurable?: boolean;
}

/** Writes a text, or parts in their order, so that the file is either the old one or the complete new one, even if
 *  the process or the machine dies: it writes a temporary file beside it, syncs it, renames it and syncs the folder,
 *  which must exist.
 *  Throws E_DISK_FULL, E_DISK_READ_ONLY, E_DISK_WRITE; the old file is then untouched. */
export async function writeAtomically(
  file: string,
  content: string | Iterable<Uint8Array>,
  { previous, isDurable = true }: WriteOptions = {},
): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      // writeFile on a handle appends to what was written before
      if (typeof content === 'string') await handle.writeFile(content);
      else for (const part of content) await handle.writeFile(part);
      if (isDurable) await handle.sync();
    } finally {
      await handle.close();
    }
    if (previous !== undefined) await keep(file, previous);
    await rename(temporary, file);
    if (isDurable) await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw untouched(diskError(error, file));
  }
}

/** Gives the file a second name before it is replaced, so that at every moment one of the two names is a complete
 *  file. */
async function keep(file: string, previous: string): Promise<void> {
  const second = `${previous}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await link(file, second);
    await rename(second, previous);
  } catch (error) {
    await rm(second, { force: true }).catch(() => undefined);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return; // there is no old file
    // On a disk without hard links (FAT, some network drives) there is an instant between the two renames in which
    // only `previous` exists.
    await rename(file, previous);
  }
}

/** A rename is safe on the disk once its folder is synced. Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function untouched(error: unknown): unknown {
  if (!(error instanceof FinetuneError) || error.code !== 'E_DISK_FULL') return error;
  const problems = error.problems.map((one) => ({ ...one, message: `${one.message}; the file that was there stays` }));
  return new FinetuneError(problems, { cause: error.cause });
}
