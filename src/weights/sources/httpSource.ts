import { createHash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { withLock } from '../../files/lock.js';
import { pathBelow } from '../../files/pathBelow.js';
import { isMasked } from '../../maskSecrets.js';
import { beginsLikeWeights } from '../decode/raw.js';
import { defaultCacheDir, findInCache, makeStagingDir, publish } from './cache.js';
import { download, type DownloadOptions } from '../../fetch/download.js';
import { LIMITS } from '../../fetch/limits.js';
import { discardPart, sizeOf } from '../../fetch/part.js';
import { shardsOf, type Shard } from './shards.js';
import type { SourceOptions } from './sourceOptions.js';
import { fileName, isPrivate, parseUrl } from '../../fetch/url.js';

/** A downloaded file in the cache. */
export interface Fetched {
  readonly file: string;
  readonly dir: string;
  readonly sha256: string;
}

type FetchOptions = SourceOptions & Pick<DownloadOptions, 'sha256' | 'announced'>;

/** Most bytes of a model.json, which JavaScript must hold as one string. */
const MAX_JSON = 256 * 2 ** 20;

/** Returns the file of a URL from the cache, where it stands under `key`, or downloads it; a model.json of
 *  TensorFlow.js comes with its shards. Without `sha256` a cached file is used even if the URL has other content now.
 *  Throws E_WEIGHTS_URI, E_TFJS_SHARD and what `download` throws. */
export async function fetchUrl(address: string, key: string, options: FetchOptions): Promise<Fetched> {
  const { signal, onProgress, sha256, cacheDir = defaultCacheDir() } = options;
  const url = parseUrl(address);
  if (!isPrivate(url) && sha256 === undefined) {
    const fix = 'use https:, or append #sha256=… to the URI';
    const message = `a download from ${url.href} could be changed on its way`;
    throw new FinetuneError({ code: 'E_WEIGHTS_URI', message, fix });
  }
  const name = fileName(url) || 'weights';
  const fromCache = async (): Promise<Fetched | undefined> => {
    const cached = await findInCache(cacheDir, key, signal);
    if (cached?.damaged) onProgress?.({ message: `${cached.damaged} in the cache is damaged` });
    if (!cached?.entry) return undefined;
    const own = cached.entry.files[name]?.sha256 ?? '';
    if (sha256 !== undefined && own !== sha256) return undefined; // the URI asks for other content than before
    return { file: join(cached.dir, name), dir: cached.dir, sha256: own };
  };
  const present = await fromCache();
  if (present) return present;
  if (isMasked(address)) throw withoutSecret(address);

  const partial = join(cacheDir, 'partial', createHash('sha256').update(url.href).digest('hex').slice(0, 32));
  return withLock(`${partial}.lock`, signal, async () => {
    const meanwhile = await fromCache(); // the process that we waited for has fetched it
    if (meanwhile) return meanwhile;
    onProgress?.({ message: `fetching ${url.href}` });
    const isJson = name.endsWith('.json');
    const most = options.limits?.bytes ?? LIMITS.bytes;
    const limits = { ...options.limits, bytes: isJson ? Math.min(most, MAX_JSON) : most };
    const own = await download(url, `${partial}.part`, { ...options, limits, accepts: beginsLikeWeights });
    const staging = await makeStagingDir(cacheDir);
    try {
      const files = join(staging, 'files');
      await mkdir(files);
      await rename(`${partial}.part`, join(files, name));
      const shards = isJson ? await shardsOf(join(files, name), url) : [];
      if (shards.length > 0 && !isPrivate(url)) throw unpinnedShards(url);
      const hashes = await fetchShards(shards, files, `${partial}.shard`, options);
      const tree =
        shards.length === 0
          ? own
          : createHash('sha256')
              .update([own, ...hashes].join('\n'))
              .digest('hex');
      const { dir } = await publish(cacheDir, key, files, { uri: key, sha256: tree });
      return { file: join(dir, name), dir, sha256: own };
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
}

/** Downloads shards into `files`, and returns their hashes. All of them together may have as many bytes as one file. */
async function fetchShards(
  shards: readonly Shard[],
  files: string,
  part: string,
  { signal, onProgress, limits }: FetchOptions,
): Promise<string[]> {
  const hashes: string[] = [];
  let left = limits?.bytes ?? LIMITS.bytes;
  for (const { path, url } of shards) {
    const place = await pathBelow(files, path);
    if ('refused' in place) {
      const message = `shard "${path}" is refused: ${place.refused}`;
      throw new FinetuneError({ code: 'E_TFJS_SHARD', message, where: { file: url.href } });
    }
    await discardPart(part); // that of another shard
    hashes.push(await download(url, part, { signal, onProgress, limits: { ...limits, bytes: left } }));
    left -= await sizeOf(part);
    await mkdir(dirname(place.file), { recursive: true });
    await rename(part, place.file);
  }
  return hashes;
}

const unpinnedShards = ({ href }: URL): FinetuneError =>
  new FinetuneError({
    code: 'E_WEIGHTS_URI',
    message: `the shards of ${href} could be changed on their way: #sha256=… is that of model.json alone`,
    fix: 'use https:',
  });

const withoutSecret = (address: string): FinetuneError =>
  new FinetuneError({
    code: 'E_WEIGHTS_URI',
    message: `${address} lacks its secret, which no run keeps, and no other file of that address is in the cache`,
    fix: 'use the recipe that the run was started with, or pass the whole address: --set model.weights=https://…',
  });
