import { readFile } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { listShards, type ReadShard } from '../decode/tfjsManifest.js';

/** Reads the shards of a model from its folder; one outside of the folder is refused. */
export const shardReader =
  (dir: string): ReadShard =>
  async (path) => {
    const file = resolve(dir, path);
    if (!isInside(dir, path)) {
      return { code: 'E_TFJS_SHARD', message: outside(path), where: { file: dir } };
    }
    try {
      return await readFile(file);
    } catch (error) {
      return { code: 'E_TFJS_SHARD', message: `shard cannot be read: ${(error as Error).message}`, where: { file } };
    }
  };

/** The shards that a model.json names, relative to it; none for other JSON. Throws E_TFJS_SHARD if one lies outside. */
export async function shardPaths(file: string): Promise<string[]> {
  const paths = listShards(await readFile(file, 'utf8'));
  const stray = paths.find((path) => !isInside(dirname(file), path) || /^[a-z][a-z+.-]*:/i.test(path));
  if (stray === undefined) return paths;
  throw new FinetuneError({ code: 'E_TFJS_SHARD', message: outside(stray), where: { file } });
}

const isInside = (dir: string, path: string): boolean => resolve(dir, path).startsWith(resolve(dir) + sep);
const outside = (path: string): string => `shard "${path}" lies outside the model's folder`;
