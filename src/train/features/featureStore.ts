import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { discard, makeFolder, remove, writeNew } from '../../files/folders.js';

/** Keeps features by name. */
export interface FeatureStore {
  readonly names: ReadonlySet<string>;
  put(name: string, features: Float32Array): Promise<void>;
  /** Returns undefined for a name that is not kept. Throws E_CACHE_GONE where its file has been removed. */
  get(name: string): Promise<Float32Array | undefined>;
  /** Removes what it kept; with `keep`, files on disk stay there for a run that resumes. */
  dispose(options?: { readonly keep?: boolean }): Promise<void>;
}

export function memoryStore(): FeatureStore {
  const kept = new Map<string, Float32Array>();
  const names = new Set<string>();
  return {
    names,
    put(name, features) {
      kept.set(name, features);
      names.add(name);
      return Promise.resolve();
    },
    get: (name) => Promise.resolve(kept.get(name)),
    dispose: () => Promise.resolve(),
  };
}

const SHA256_BYTES = 32;
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Keeps features in files of `<directory>/features/<identity>/`, each with its hash at the end. Takes over intact
 *  files that an earlier process left there, and removes damaged ones and those of other identities. `length`: number
 *  of values of an entry. */
export async function diskStore(directory: string, identity: string, length: number): Promise<FeatureStore> {
  const all = join(directory, 'features');
  const folder = join(all, identity);
  const names = new Set<string>();
  const read = async (name: string): Promise<Buffer> => readFile(join(folder, name));
  const gone = (name: string, cause: unknown): FinetuneError => {
    const message = `features that this run kept on disk cannot be read: ${(cause as Error).message}`;
    const fix = 'leave the folder alone during the run; --resume computes the missing features again';
    return new FinetuneError({ code: 'E_CACHE_GONE', message, where: { file: join(folder, name) }, fix }, { cause });
  };
  const isIntact = (file: Buffer): boolean => {
    const bytes = 4 * length;
    return file.length === bytes + SHA256_BYTES && sha256(file.subarray(0, bytes)).equals(file.subarray(bytes));
  };

  for (const other of await readdir(all).catch(() => [])) {
    if (other !== identity) await remove(join(all, other));
  }
  for (const name of await readdir(folder).catch(() => [])) {
    const file = await read(name).catch(() => undefined);
    if (file && isIntact(file)) names.add(name);
    else await remove(join(folder, name));
  }
  return {
    names,
    async put(name, features) {
      await makeFolder(folder);
      const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
      await writeNew(join(folder, name), [bytes, sha256(bytes)]);
      names.add(name);
    },
    async get(name) {
      if (!names.has(name)) return undefined;
      const file = await read(name).catch((error: unknown) => {
        throw gone(name, error);
      });
      return new Float32Array(new Uint8Array(file.subarray(0, 4 * length)).buffer);
    },
    async dispose({ keep = false } = {}) {
      if (!keep) await discard(all);
    },
  };
}
