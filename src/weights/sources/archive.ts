import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { FinetuneError } from '../../errors.js';
import { openZip } from '../decode/zip.js';

/** A path that would leave the folder it is unpacked into. */
const leaves = (path: string): boolean => path.split(/[\\/]/).includes('..') || /^([\\/]|[a-z]:)/i.test(path);

/** Unpacks regular files of a .tar or .tgz below `dir`, without their first folder; nothing else: an entry that points
 *  elsewhere refuses the whole archive. `uri` is for messages. Throws E_WEIGHTS_ARCHIVE. */
export async function unpackTar(archive: string, dir: string, uri: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const refuse = (entry: string, why: string) =>
    new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message: `${uri} holds "${entry}": ${why}; nothing was unpacked` });
  let refused: FinetuneError | undefined;
  const filter = (path: string, entry: object): boolean => {
    const type = 'type' in entry ? entry.type : '';
    if (leaves(path)) refused ??= refuse(path, 'a path out of the package');
    else if (type === 'SymbolicLink' || type === 'Link') refused ??= refuse(path, 'a link');
    return !leaves(path) && (type === 'File' || type === 'OldFile' || type === 'Directory');
  };
  try {
    await extract({ file: archive, cwd: dir, strip: 1, filter, strict: true });
  } catch (error) {
    if (!refused) {
      const message = `${uri} cannot be unpacked: ${(error as Error).message}`;
      throw new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message }, { cause: error });
    }
  }
  if (refused) throw refused;
}

/** Unpacks a zip below `dir`; a symbolic link in it becomes a text file, which harms no one. Throws E_WEIGHTS_ARCHIVE. */
export async function unpackZip(archive: string, dir: string, uri: string): Promise<void> {
  const zip = await openZip(archive, 'E_WEIGHTS_ARCHIVE');
  try {
    for (const path of zip.sizes.keys()) {
      if (leaves(path)) {
        const message = `${uri} holds "${path}": a path out of the package; nothing was unpacked`;
        throw new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message });
      }
    }
    for (const path of zip.sizes.keys()) {
      const file = join(dir, path);
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await zip.stream(path), createWriteStream(file));
    }
  } catch (error) {
    if (error instanceof FinetuneError) throw error;
    const message = `${uri} cannot be unpacked: ${(error as Error).message}`;
    throw new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message }, { cause: error });
  } finally {
    zip.dispose();
  }
}
