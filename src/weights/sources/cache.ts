import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { writeAtomically } from '../../files/writeAtomically.js';

/** The cache on disk:
 *    index/<key>.json    where an entry came from, its sha256, and the sha256 of every file
 *    sha256/<hash>/…     the files, in a folder named by the hash of what was downloaded
 *    partial/<key>.part  the first part of a broken download, its lock, and what the server said about it
 *  The first two are put in place by a rename, so that a process that is killed, or a second one, does no harm. */
const entrySchema = z.strictObject({
  uri: z.string(),
  sha256: z.string(),
  /** Size and sha256 of each file by its path, with forward slashes. */
  files: z.record(z.string(), z.strictObject({ bytes: z.number(), sha256: z.string() })),
});
export type CacheEntry = z.infer<typeof entrySchema>;

/** `$XDG_CACHE_HOME/tfjs-finetune`, or the same below ~/.cache. */
export const defaultCacheDir = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tfjs-finetune');

const indexFile = (cacheDir: string, key: string): string => join(cacheDir, 'index', `${encodeURIComponent(key)}.json`);
const treeDir = (cacheDir: string, sha256: string): string => join(cacheDir, 'sha256', sha256);

/** Lower-case hex sha256 of a file. */
export async function hashFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

/** Finds an entry and its folder, if no file has changed. A damaged entry is removed, and the damaged file is
 *  returned. */
export async function findInCache(cacheDir: string, key: string, signal?: AbortSignal) {
  const entry = await readEntry(indexFile(cacheDir, key));
  if (!entry) return undefined;
  const dir = treeDir(cacheDir, entry.sha256);
  for (const [path, { bytes, sha256 }] of Object.entries(entry.files)) {
    const file = join(dir, path);
    const sound = (await sizeOf(file)) === bytes && (await hashFile(file, signal)) === sha256;
    if (!sound) {
      await rm(indexFile(cacheDir, key), { force: true });
      await rm(dir, { recursive: true, force: true });
      return { damaged: file };
    }
  }
  return { entry, dir };
}

const DAY = 86_400_000;

/** Creates an empty folder inside the cache, so that a rename moves it to its place. What killed processes left behind
 *  is removed after a day. */
export async function makeStagingDir(cacheDir: string): Promise<string> {
  const all = join(cacheDir, 'staging');
  await mkdir(all, { recursive: true });
  for (const old of await readdir(all)) {
    const modified = (await stat(join(all, old)).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - modified > DAY) await rm(join(all, old), { recursive: true, force: true });
  }
  const dir = join(all, `${process.pid}-${randomBytes(6).toString('hex')}`);
  await mkdir(dir);
  return dir;
}

/** Moves a staged folder to its place and records it. */
export async function publish(cacheDir: string, key: string, staged: string, origin: { uri: string; sha256: string }) {
  const entry: CacheEntry = { ...origin, files: await listFiles(staged) };
  const dir = treeDir(cacheDir, origin.sha256);
  await mkdir(dirname(dir), { recursive: true });
  try {
    await rename(staged, dir);
  } catch (error) {
    const present = await stat(dir).catch(() => undefined); // another process was first, or another URI has the same content
    if (!present) throw error;
    await addMissing(staged, dir, Object.keys(entry.files));
  }
  await mkdir(join(cacheDir, 'index'), { recursive: true });
  await writeAtomically(indexFile(cacheDir, key), JSON.stringify(entry, null, 1));
  return { entry, dir };
}

/** Moves those files to `dir` that it does not have. */
async function addMissing(staged: string, dir: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if ((await sizeOf(join(dir, path))) >= 0) continue;
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await rename(join(staged, path), join(dir, path));
  }
}

async function listFiles(dir: string): Promise<CacheEntry['files']> {
  const files: CacheEntry['files'] = {};
  for (const item of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    const file = join(item.parentPath, item.name);
    const path = relative(dir, file).split(sep).join('/');
    files[path] = { bytes: (await stat(file)).size, sha256: await hashFile(file) };
  }
  return files;
}

async function readEntry(file: string): Promise<CacheEntry | undefined> {
  try {
    return entrySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined; // not there, or written by another version: fetched again
  }
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? -1;
