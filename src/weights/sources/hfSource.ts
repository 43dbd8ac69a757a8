import { FinetuneError } from '../../errors.js';
import { unsafePath } from '../../safePath.js';
import { defaultCacheDir, findInCache } from './cache.js';
import { fetchUrl, type Fetched } from './httpSource.js';
import type { SourceOptions } from './sourceOptions.js';

/** owner/name[@revision][/file]. A revision is a branch, a tag or a commit. */
const LOCATION = /^([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?(?:\/(.+))?$/;

/** File names of weights in a repository; the first one that is there is used. */
const USUAL = ['model.safetensors', 'pytorch_model.bin'];

/** Fetches a file of a Hugging Face repository: `hf:timm/rexnet_100.nav_in1k`. HF_ENDPOINT names a mirror, as in the
 *  tools of Hugging Face. Throws E_WEIGHTS_URI, E_WEIGHTS_NOT_FOUND and what fetchUrl throws. */
export async function fetchHf(
  uri: string,
  options: SourceOptions & { readonly sha256?: string | undefined },
): Promise<Fetched> {
  const [, repository, revision = 'main', path] = LOCATION.exec(uri.slice('hf:'.length)) ?? [];
  const parts = [repository, revision, path].filter((part) => part !== undefined);
  if (repository === undefined || parts.some((part) => unsafePath(part) !== undefined)) {
    const message = `"${uri}" is not a repository of Hugging Face`;
    throw new FinetuneError({
      code: 'E_WEIGHTS_URI',
      message,
      fix: 'write hf:owner/name, hf:owner/name@revision/file',
    });
  }
  const keyOf = (file: string) => `hf:${repository}@${revision}/${file}`;
  const endpoint = (process.env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
  const fetchFile = (file: string) => {
    const url = `${endpoint}/${repository}/resolve/${revision}/${file.split('/').map(encodeURIComponent).join('/')}`;
    return fetchUrl(url, keyOf(file), { ...options, announced: linkedFile });
  };
  if (path !== undefined) return fetchFile(path);

  for (const file of USUAL) {
    const cached = await findInCache(options.cacheDir ?? defaultCacheDir(), keyOf(file), options.signal);
    if (cached?.entry) return fetchFile(file); // from the cache, without asking the server which files there are
  }
  for (const file of USUAL) {
    try {
      return await fetchFile(file);
    } catch (error) {
      if (!(error instanceof FinetuneError) || error.code !== 'E_WEIGHTS_NOT_FOUND') throw error;
    }
  }
  const message = `${repository} has no ${USUAL.join(' or ')} at revision ${revision}`;
  throw new FinetuneError({ code: 'E_WEIGHTS_NOT_FOUND', message, fix: `name the file: ${uri}/path` });
}

/** Large files are stored elsewhere. The first response has their size and, as an ETag, their sha256. */
function linkedFile(headers: Headers): { sha256?: string; bytes?: number } {
  const sha256 = /^"?([0-9a-f]{64})"?$/.exec(headers.get('x-linked-etag') ?? '')?.[1];
  const bytes = Number(headers.get('x-linked-size') ?? Number.NaN);
  return { ...(sha256 && { sha256 }), ...(Number.isFinite(bytes) && { bytes }) };
}
