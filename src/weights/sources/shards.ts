import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { leavesFolder, unsafeName, unsafePath } from '../../safePath.js';
import { listShards, type ReadShard } from '../decode/tfjsManifest.js';

/** A model of a gigabyte in the usual shards of 4 MB has 256. */
const MAX_SHARDS = 10_000;

/** Reads the shards of a model from its folder; one outside of the folder is refused. */
export const shardReader =
  (dir: string): ReadShard =>
  async (path) => {
    const file = resolve(dir, path.replaceAll('\0', ''));
    if (leavesFolder(path)) {
      return { code: 'E_TFJS_SHARD', message: `shard "${path}" lies outside the model's folder`, where: { file: dir } };
    }
    try {
      return await readFile(file);
    } catch (error) {
      return { code: 'E_TFJS_SHARD', message: `shard cannot be read: ${(error as Error).message}`, where: { file } };
    }
  };

/** A shard to download: its path beside model.json, and its address. */
export interface Shard {
  readonly path: string;
  readonly url: URL;
}

/** The shards that a downloaded model.json names; none for other JSON. As in TensorFlow.js they lie below its folder on
 *  the same server, and the query of its address is added to theirs. Throws E_TFJS_SHARD if one does not. */
export async function shardsOf(file: string, url: URL): Promise<Shard[]> {
  const paths = [...new Set(listShards(await readFile(file, 'utf8')))];
  const refuse = (message: string) => new FinetuneError({ code: 'E_TFJS_SHARD', message, where: { file: url.href } });
  if (paths.length > MAX_SHARDS)
    throw refuse(`the model has ${paths.length} shards; at most ${MAX_SHARDS} are fetched`);
  const folders = new Set(paths.flatMap(foldersOf));
  return paths.map((path) => {
    const shard = shardUrl(path, url);
    const why =
      unsafePath(path) ??
      (shard ? undefined : 'it leads out of the folder of the model') ??
      (folders.has(path) ? 'another shard lies below it' : undefined) ??
      (path === basename(file) ? 'it is the model.json itself' : undefined);
    if (why !== undefined || !shard) throw refuse(`shard "${path}" is refused: ${why}`);
    return { path, url: shard };
  });
}

/** The address of a shard; undefined if it is not below the folder of the model. */
function shardUrl(path: string, base: URL): URL | undefined {
  if (!URL.canParse(path, base.href)) return undefined;
  const url = new URL(path, base);
  const folder = base.pathname.slice(0, base.pathname.lastIndexOf('/') + 1);
  if (url.origin !== base.origin || url.search !== '' || url.hash !== '' || !url.pathname.startsWith(folder))
    return undefined;
  try {
    const parts = url.pathname.slice(folder.length).split('/').map(decodeURIComponent);
    if (parts.some((part) => unsafeName(part) !== undefined)) return undefined;
  } catch {
    return undefined;
  }
  url.search = base.search;
  return url;
}

/** "a/b/c.bin" → "a", "a/b". */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}
