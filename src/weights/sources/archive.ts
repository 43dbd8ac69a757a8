import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { extract } from 'tar';
import { FinetuneError } from '../../errors.js';
import { diskError } from '../../files/disk.js';
import { isDeflated, streamPacked } from '../../bytes/zip.js';
import { pathBelow } from '../../files/pathBelow.js';
import { leavesFolder, unsafePath } from '../../safePath.js';
import { openZip } from '../decode/zip.js';
import { withBytesOf } from '../../files/openBytes.js';

/** Most bytes and files of an unpacked archive: 8 GiB, as of a download. */
const MAX = { bytes: 8 * 2 ** 30, files: 100_000 };

/** Unpacks the regular files of a .tar or .tgz below `dir`, without their first folder. A link, or a name that no file
 *  may have (safePath.ts), refuses the whole archive, and so do more bytes or files than MAX; other entries are left
 *  out. `uri` is for errors. Throws E_WEIGHTS_ARCHIVE. */
export async function unpackTar(archive: string, dir: string, uri: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const refuse = (entry: string, why: string) =>
    new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message: `${uri} has ${why}: "${entry}"; nothing was unpacked` });
  let refused: FinetuneError | undefined;
  const left = { ...MAX };
  const filter = (path: string, entry: object): boolean => {
    const type = 'type' in entry ? entry.type : '';
    const inside = path.replace(/\/$/, '').split('/').slice(1).join('/'); // without the first folder
    const why = leavesFolder(path) ? 'it leads out of its folder' : inside === '' ? undefined : unsafePath(inside);
    if ('size' in entry && typeof entry.size === 'number') left.bytes -= entry.size;
    if (why !== undefined) refused ??= refuse(path, `a path that is refused (${why})`);
    else if (type === 'SymbolicLink' || type === 'Link') refused ??= refuse(path, 'a link');
    else if (--left.files < 0 || left.bytes < 0) refused ??= refuse(path, 'too many bytes or files');
    return !refused && (type === 'File' || type === 'OldFile' || type === 'Directory');
  };
  try {
    await extract({ file: archive, cwd: dir, strip: 1, filter, strict: true });
  } catch (error) {
    if (!refused) throw unpackError(error, dir, uri);
  }
  if (refused) throw refused;
}

/** Unpacks the files of a zip below `dir`. A symbolic link in it becomes a text file; a name that no file may have
 *  refuses the archive. Throws E_WEIGHTS_ARCHIVE. */
export async function unpackZip(archive: string, dir: string, uri: string): Promise<void> {
  try {
    await withBytesOf(archive, async (source) => {
      const zip = await openZip(source, 'E_WEIGHTS_ARCHIVE');
      let left = MAX.bytes;
      for (const [path, entry] of zip.files) {
        const place = await pathBelow(dir, path);
        if ('refused' in place) throw new Error(`"${path}" is refused: ${place.refused}`);
        left -= entry.size;
        if (left < 0) throw new Error(`its files have more than ${MAX.bytes} bytes`);
        await mkdir(dirname(place.file), { recursive: true });
        const unpack = isDeflated(entry) ? createInflateRaw() : new PassThrough();
        await pipeline(streamPacked(source, entry), unpack, checkSize(path, entry.size), createWriteStream(place.file));
      }
    });
  } catch (error) {
    throw unpackError(error, dir, uri);
  }
}

/** A disk that is full is not the archive's fault. */
function unpackError(error: unknown, dir: string, uri: string): FinetuneError {
  const found = diskError(error, dir);
  if (found instanceof FinetuneError) return found;
  const message = `${uri} cannot be unpacked: ${(error as Error).message}`;
  return new FinetuneError({ code: 'E_WEIGHTS_ARCHIVE', message }, { cause: error });
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
