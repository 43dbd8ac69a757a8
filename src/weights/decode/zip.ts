import type { ByteSource } from '../../bytes/byteSource.js';
import { readZipEntry } from '../../bytes/zip.js';
import { findZipDirectory, readZipEntries, type ZipEntry } from '../../bytes/zipDirectory.js';
import { FinetuneError, type Problem } from '../../errors.js';

/** The files of a zip archive. */
export interface Zip {
  /** By path; folders are left out. */
  readonly files: ReadonlyMap<string, ZipEntry>;
  /** A file's content, of the size that the archive's directory announces. */
  readonly read: (path: string) => Promise<Uint8Array>;
}

const MAX_ENTRIES = 100_000;
/** Deflate cannot do better than 1032 : 1. A file that announces more is refused. */
const MAX_RATIO = 1032;

/** Opens a zip archive by its directory; names that lead out of it are refused. `code` is the code of every error. */
export async function openZip(source: ByteSource, code: Problem['code']): Promise<Zip> {
  const fail = (message: string, cause?: unknown) =>
    new FinetuneError({ code, message, where: { file: source.file } }, cause === undefined ? {} : { cause });
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof FinetuneError ? error : fail(`${what}: ${(error as Error).message}`, error);
    }
  };
  const directory = await attempt('the zip archive is broken or cut short', () => findZipDirectory(source));
  if (directory.count > MAX_ENTRIES)
    throw fail(`the zip archive has ${directory.count} entries; at most ${MAX_ENTRIES} are read`);
  const files = await attempt('the directory of the zip archive is broken', async () =>
    checkEntries(await readZipEntries(source, directory)),
  );
  return {
    files,
    read: async (path) => {
      const entry = files.get(path);
      if (!entry) throw fail(`the zip archive lacks "${path}"`);
      return attempt(`"${path}" cannot be read`, () => readZipEntry(source, entry));
    },
  };
}

/** Returns the files by path. Throws for entries that must not be there. */
function checkEntries(all: readonly ZipEntry[]): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  for (const entry of all) {
    const { path, size, packedSize } = entry;
    if (path.endsWith('/')) continue;
    if (entry.isEncrypted) throw new Error(`"${path}" is encrypted`);
    if (size > packedSize * MAX_RATIO + 1024)
      throw new Error(`"${path}" cannot have ${size} bytes: only ${packedSize} are stored`);
    if (entries.has(path)) throw new Error(`it has two entries "${path}"`);
    entries.set(path, entry);
  }
  return entries;
}
