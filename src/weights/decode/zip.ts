import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import yauzl, { type Entry } from 'yauzl';
import { FinetuneError, type Problem } from '../../errors.js';

/** The entries of an open zip archive; close it. */
export interface Zip {
  /** Path → size when unpacked, without folders. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Checked against the size that the archive's directory promises. */
  read(path: string): Promise<Uint8Array>;
  stream(path: string): Promise<Readable>;
  dispose(): void;
}

const MAX_ENTRIES = 100_000;
/** Deflate cannot do better than 1032 : 1; a file that promises more is a lie. */
const MAX_RATIO = 1032;

/** Opens a zip by its directory; names that leave the archive are refused by yauzl. `code` is for what is wrong with it. */
export async function openZip(file: string, code: Problem['code']): Promise<Zip> {
  const fail = (message: string, cause?: unknown) =>
    new FinetuneError({ code, message, where: { file } }, cause === undefined ? {} : { cause });
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw fail(`${what}: ${(error as Error).message}`, error);
    }
  };
  const archive = await attempt('the zip archive is broken or cut short', () =>
    yauzl.openPromise(file, { autoClose: false, lazyEntries: true }),
  );
  const entries = new Map<string, Entry>();
  try {
    if (archive.entryCount > MAX_ENTRIES) throw fail(`the zip archive has ${archive.entryCount} entries`);
    await attempt('the directory of the zip archive is broken', async () => {
      for await (const entry of archive.eachEntry()) {
        if (entry.fileName.endsWith('/')) continue;
        if (entry.isEncrypted()) throw new Error(`"${entry.fileName}" is encrypted`);
        if (entry.uncompressedSize > entry.compressedSize * MAX_RATIO + 1024) {
          throw new Error(`"${entry.fileName}" claims ${entry.uncompressedSize} bytes out of ${entry.compressedSize}`);
        }
        if (entries.has(entry.fileName)) throw new Error(`"${entry.fileName}" is in it twice`);
        entries.set(entry.fileName, entry);
      }
    });
  } catch (error) {
    archive.close();
    throw error;
  }
  const stream = (path: string): Promise<Readable> => {
    const entry = entries.get(path);
    if (!entry) return Promise.reject(fail(`the zip archive lacks "${path}"`));
    return attempt(`"${path}" cannot be read`, () => archive.openReadStreamPromise(entry));
  };
  return {
    sizes: new Map([...entries].map(([path, { uncompressedSize }]) => [path, uncompressedSize])),
    stream,
    read: async (path) => {
      const bytes = await stream(path);
      return attempt(`"${path}" is broken`, () => buffer(bytes));
    },
    dispose: () => archive.close(),
  };
}
