import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { isDeflated, streamPacked } from '../../bytes/zip.js';
import { findZipDirectory, readZipEntries } from '../../bytes/zipDirectory.js';
import { makeFolder } from '../../files/folders.js';
import { withBytesOf } from '../../files/openBytes.js';
import { unavailable } from './setupOptions.js';
import type { Wheel } from './wheels.js';

const CHUNK = 1 << 20; // bytes

/** Unpacks the library of a TensorFlow wheel, whose hash is known, into `folder`. It streams, since the library has 800 MB, and
 *  does not end before the disk has it all. Throws E_ENGINE_SETUP if the wheel has no library. */
export async function unpackWheel(
  file: string,
  { main, framework }: Wheel,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await makeFolder(folder);
  await withBytesOf(file, async (source) => {
    const entries = await readZipEntries(source, await findZipDirectory(source));
    for (const name of [main, framework]) {
      const entry = entries.find(({ path }) => path === `tensorflow/${name}`);
      if (!entry) throw unavailable(`${name} is not in the wheel`, 'report this as an issue');
      const unpack = isDeflated(entry) ? createInflateRaw({ chunkSize: CHUNK }) : new PassThrough();
      const target = createWriteStream(join(folder, name), { highWaterMark: 4 * CHUNK, flush: true });
      await pipeline(streamPacked(source, entry), unpack, target, signal ? { signal } : {});
      if (target.bytesWritten !== entry.size) throw new Error(`${name} is cut short in the wheel`);
    }
  });
}
