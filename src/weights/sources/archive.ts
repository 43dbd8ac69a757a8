import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { extract } from 'tar';
import { FinetuneError } from '../../errors.js';
import { isDeflated, streamPacked } from '../../bytes/zip.js';
import { openZip } from '../decode/zip.js';
import { withBytesOf } from './openBytes.js';

/** Whether a path leads out of the folder that it is unpacked into. */
const leaves = (path: string): boolean => path.split(/[\\/]/).includes('..') || /^([\\/]|[a-z]:)/i.test(path);

/** Unpacks the regular files of a .tar or .tgz below `dir`, without their first folder. A link, or a path that leads
 *  out of `dir`, refuses the whole archive; other entries are left out. `uri` is for errors. Throws
 *  E_WEIGHTS_ARCHIVE. */
export async function unpackTar(archive: string, dir: string, uri: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const refuse = (entry: string, why: string) =>
    new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message: `${uri} has ${why}: "${entry}"; nothing was unpacked` });
  let refused: FinetuneError | undefined;
  const filter = (path: string, entry: object): boolean => {
    const type = 'type' in entry ? entry.type : '';
    if (leaves(path)) refused ??= refuse(path, 'a path that leads out of it');
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

/** Unpacks the files of a zip below `dir`. A symbolic link in it becomes a text file. Throws E_WEIGHTS_ARCHIVE. */
export async function unpackZip(archive: string, dir: string, uri: string): Promise<void> {
  try {
    await withBytesOf(archive, async (source) => {
      const zip = await openZip(source, 'E_WEIGHTS_ARCHIVE');
      for (const [path, entry] of zip.files) {
        const file = join(dir, path);
        await mkdir(dirname(file), { recursive: true });
        const unpack = isDeflated(entry) ? createInflateRaw() : new PassThrough();
        await pipeline(streamPacked(source, entry), unpack, checkSize(path, entry.size), createWriteStream(file));
      }
    });
  } catch (error) {
    if (error instanceof FinetuneError) throw error;
    const message = `${uri} cannot be unpacked: ${(error as Error).message}`;
    throw new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message }, { cause: error });
  }
}

/** Passes the bytes of a file on, and stops as soon as they are more than the archive announces. */
const checkSize = (path: string, size: number) =>
  async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let done = 0;
    for await (const piece of pieces) {
      done += piece.byteLength;
      if (done > size) break;
      yield piece;
    }
    if (done !== size)
      throw new Error(`"${path}" has ${done > size ? 'more' : 'fewer'} bytes than the ${size} announced`);
  };
