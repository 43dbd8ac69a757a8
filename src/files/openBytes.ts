import { open } from 'node:fs/promises';
import { checkRange, type ByteSource } from '../bytes/byteSource.js';
import { FinetuneError } from '../errors.js';

/** Node reads at most 2^31 − 1 bytes in one call. */
const MAX_READ = 2 ** 30;

/** Runs `work` on the bytes of a file, which is open meanwhile. A range is read when it is asked for.
 *  Throws what `work` throws, and E_WEIGHTS_READ if the file gets shorter meanwhile. */
export async function withBytesOf<T>(file: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      checkRange({ size }, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MAX_READ), offset + done);
        done += bytesRead;
        if (bytesRead > 0) continue;
        const message = `the file became shorter while it was read: ${offset + done} bytes instead of ${size}`;
        throw new FinetuneError({ code: 'E_WEIGHTS_READ', message, where: { file } });
      }
      return bytes;
    };
    return await work({ file, size, read });
  } finally {
    await handle.close();
  }
}
