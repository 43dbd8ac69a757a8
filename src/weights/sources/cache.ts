import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { hashFile } from '../../files/hashFile.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import { isMasked, maskUri } from '../../maskSecrets.js';
import { unsafePath } from '../../safePath.js';

/** The cache on disk:
 *    index/<key>.json    where an entry came from, its sha256, and the sha256 of every file
 *    sha256/<hash>/…     the files, in a folder named by the hash of what was downloaded
 *    partial/<key>.part  the first part of a broken download, its lock, and what the server said about it
 *  The first two are put in place by a rename, so that a process that is killed, or a second one, does no harm. */
const hex = z.string().regex(/^[0-9a-f]{64}$/);
const entrySchema = z.strictObject({
  /** Without secrets. */
  uri: z.string(),
  sha256: hex,
  /** Size and sha256 of each file by its path, with forward slashes. */
  files: z.record(
    z.string().refine((path) => unsafePath(path) === undefined),
    z.strictObject({ bytes: z.number(), sha256: hex }),
  ),
});
export type CacheEntry = z.infer<typeof entrySchema>;

/** `$XDG_CACHE_HOME/tfjs-finetune`, or the same below ~/.cache. */
export const defaultCacheDir = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tfjs-finetune');

const indexDir = (cacheDir: string): string => join(cacheDir, 'index');
/** Characters of a key that the name of its index file has. */
const MAX_STEM = 150;
const stemOf = (key: string): string => encodeURIComponent(maskUri(key)).replaceAll('*', '%2A').slice(0, MAX_STEM);

/** The index file of a key. If its name cannot tell the key from others, because a secret is left out or the key is
 *  long, it has a hash of the key. */
function indexFile(cacheDir: string, key: string): string {
  const stem = stemOf(key);
  const isWhole = stem === encodeURIComponent(key);
  const name = isWhole ? stem : `${stem}-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return join(indexDir(cacheDir), `${name}.json`);
}

/** The index file of a key whose secret is masked: that of the only URI that is the same but for the secret. */
async function indexFileOfMasked(cacheDir: string, key: string): Promise<string | undefined> {
  const names = await readdir(indexDir(cacheDir)).catch(() => []);
  const files = names
    .filter((name) => name.startsWith(`${stemOf(key)}-`))
    .map((name) => join(indexDir(cacheDir), name));
  const entries = await Promise.all(files.map(readEntry));
  const same = files.filter((_, i) => entries[i]?.uri === key);
  return same.length === 1 ? same[0] : undefined;
}
const treeDir = (cacheDir: string, sha256: string): string => join(cacheDir, 'sha256', sha256);

/** Finds an entry and its folder, if no file has changed. A damaged entry is removed, and the damaged file is
 *  returned. The secret of a key may be masked. */
export async function findInCache(cacheDir: string, key: string, signal?: AbortSignal) {
  const index = isMasked(key) ? await indexFileOfMasked(cacheDir, key) : indexFile(cacheDir, key);
  const entry = index === undefined ? undefined : await readEntry(index);
  if (index === undefined || !entry) return undefined;
  const dir = treeDir(cacheDir, entry.sha256);
  for (const [path, { bytes, sha256 }] of Object.entries(entry.files)) {
    const file = join(dir, path);
    const sound = (await sizeOf(file)) === bytes && (await hashFile(file, signal)) === sha256;
    if (!sound) {
      await rm(index, { force: true });
      await rm(dir, { recursive: true, force: true });
      return { damaged: file };
    }
  }
  return { entry, dir };
}

/** Removes what was downloaded to a folder of the cache, so that it is downloaded again. Folders elsewhere stay. */
export async function forget(cacheDir: string, dir: string): Promise<void> {
  const sha256 = relative(join(cacheDir, 'sha256'), dir);
  if (!hex.safeParse(sha256).success) return;
  const names = await readdir(indexDir(cacheDir)).catch(() => []);
  for (const file of names.map((name) => join(indexDir(cacheDir), name)))
    if ((await readEntry(file))?.sha256 === sha256) await rm(file, { force: true });
  await rm(dir, { recursive: true, force: true });
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
  const entry: CacheEntry = { ...origin, uri: maskUri(origin.uri), files: await listFiles(staged) };
  const dir = treeDir(cacheDir, origin.sha256);
  await mkdir(dirname(dir), { recursive: true });
  try {
    await rename(staged, dir);
  } catch (error) {
    const present = await stat(dir).catch(() => undefined); // another process was first, or another URI has the same content
    if (!present) throw error;
    await addMissing(staged, dir, Object.keys(entry.files));
  }
  await mkdir(indexDir(cacheDir), { recursive: true });
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
