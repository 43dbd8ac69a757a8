import { createHash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { defaultCacheDir, findInCache, makeStagingDir, publish } from './cache.js';
import { download, fileName, type DownloadOptions } from './download.js';
import { withLock } from '../../files/lock.js';
import type { SourceOptions } from './sourceOptions.js';
import { shardPaths } from './shards.js';

/** A downloaded file in the cache. */
export interface Fetched {
  readonly file: string;
  readonly dir: string;
  readonly sha256: string;
}

type FetchOptions = SourceOptions & Pick<DownloadOptions, 'sha256' | 'announced'>;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Returns the file of a URL from the cache, where it stands under `key`, or downloads it; a model.json of
 *  TensorFlow.js comes with its shards. Without `sha256` a cached file is used even if the URL has other content now.
 *  Throws E_WEIGHTS_URI and what `download` throws. */
export async function fetchUrl(url: string, key: string, options: FetchOptions): Promise<Fetched> {
  const { signal, onProgress, sha256, cacheDir = defaultCacheDir() } = options;
  const { protocol, hostname } = parseUrl(url);
  if (protocol !== 'https:' && sha256 === undefined && !LOOPBACK.test(hostname)) {
    const fix = 'use https:, or append #sha256=… to the URI';
    throw new FinetuneError({
      code: 'E_WEIGHTS_URI',
      message: `a download from ${url} could be changed on its way`,
      fix,
    });
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

  const partial = join(cacheDir, 'partial', createHash('sha256').update(url).digest('hex').slice(0, 32));
  return withLock(`${partial}.lock`, signal, async () => {
    const meanwhile = await fromCache(); // the process that we waited for has fetched it
    if (meanwhile) return meanwhile;
    onProgress?.({ message: `fetching ${url}` });
    const own = await download(url, `${partial}.part`, options);
    const staging = await makeStagingDir(cacheDir);
    try {
      const files = join(staging, 'files');
      await mkdir(files);
      await rename(`${partial}.part`, join(files, name));
      const shards = name.endsWith('.json') ? await shardPaths(join(files, name)) : [];
      const hashes = [own];
      for (const shard of shards) {
        const target = join(files, ...posix.normalize(shard).split('/'));
        await mkdir(dirname(target), { recursive: true });
        hashes.push(await download(new URL(shard, url).href, `${partial}.shard`, { signal, onProgress }));
        await rename(`${partial}.shard`, target);
      }
      const tree = shards.length === 0 ? own : createHash('sha256').update(hashes.join('\n')).digest('hex');
      const { dir } = await publish(cacheDir, key, files, { uri: key, sha256: tree });
      return { file: join(dir, name), dir, sha256: own };
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw new FinetuneError({ code: 'E_WEIGHTS_URI', message: `"${url}" is not a URL` }, { cause: error });
  }
}
