import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { cachedBinding, compileBinding, findCompiler, isLinked, linkBinding, unlinkBinding } from './binding.js';
import { fetchLibrary, run, unavailable, type SetupOptions } from './libtensorflow.js';
import { libraryDirectory, thisMachine } from './wheels.js';
import { fetchTfjsNode, SETUP, tfjsNodeDirectory } from './tfjsNode.js';

/** Where an engine can come from. */
export type EngineSource = 'cache' | 'google' | 'pip';

/** What the last set-up did. Its file lies beside the engine in node_modules, so that both are removed together. */
export interface EngineRecord {
  readonly engine: 'tensorflow' | 'wasm';
  /** `found`: tfjs-node had its engine before the set-up. */
  readonly source?: EngineSource | 'found';
  /** Version of TensorFlow's C library. */
  readonly libtensorflow?: string;
  /** The sources that failed, with the reasons and how to fix them. */
  readonly failed: readonly {
    /** `npm`: tfjs-node itself could not be installed. */
    readonly source: EngineSource | 'npm';
    readonly why: string;
    readonly fix: string;
  }[];
  readonly at: string; // ISO 8601
}

export interface InstallOptions extends SetupOptions {
  /** Ignore the record of an earlier set-up. */
  readonly retry?: boolean;
  /** Try this source first, even if an engine is in place. */
  readonly source?: EngineSource | undefined;
  /** The tfjs-node package to set up. Tests pass a copy. */
  readonly tfjsNode?: string | undefined;
}

const GOOGLE = 'https://storage.googleapis.com/';
const RETRY_AFTER = 24 * 3600_000; // ms; so that a machine without a network does not wait for the probes at every start
const PROBE_LIMIT = 5_000; // ms
const INSTALL_LIMIT = 30 * 60_000; // ms; tfjs-node's script has no limit of its own
const CHECK_LIMIT = 120_000; // ms; takes one second

/** Computes a convolution in a process of its own: a library that does not fit the CPU ends the process without an exception. */
const CHECK = `
  require('util').isNullOrUndefined ??= (x) => x == null; // gone in Node 23, tfjs-node 4.22 calls it
  const tf = require(process.argv[1]);
  const sum = tf.sum(tf.conv2d(tf.ones([1, 4, 4, 2]), tf.ones([1, 1, 2, 3]), 1, 'same')).dataSync()[0];
  if (sum !== 96 || tf.getBackend() !== 'tensorflow') throw new Error('error: conv2d gives ' + sum + ' on ' + tf.getBackend());
  console.log(tf.backend().binding.TF_Version);`;

/** Reads the record of the last set-up, if there was one; a damaged one counts as none. */
export function readEngineRecord(tfjsNode = tfjsNodeDirectory()): EngineRecord | undefined {
  if (!tfjsNode) return undefined;
  try {
    const record = JSON.parse(readFileSync(recordFile(tfjsNode), 'utf8')) as Partial<EngineRecord> | null;
    const isSound =
      ['tensorflow', 'wasm'].includes(record?.engine ?? '') && !Number.isNaN(Date.parse(record?.at ?? ''));
    const failed: unknown = record?.failed;
    const isFailure = (one: Partial<EngineRecord['failed'][number]> | null): boolean =>
      typeof one?.why === 'string' && typeof one.fix === 'string';
    return isSound && Array.isArray(failed) && failed.every(isFailure) ? (record as EngineRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Why Google's storage is not a usual source. */
const UNVERIFIED = {
  source: 'google',
  why: "what tfjs-node's own install script downloads cannot be verified, so it is not used unless asked for",
  fix: 'trust it with --source google',
} as const;

/** Installs tfjs-node's compiled engine from the user's cache, or from a pip wheel whose sha256 is known. Google's
 *  storage is used only as `source`. If none works, the record says why, and the wasm engine, an npm package, is used.
 *  Throws only if `signal` aborts. Returns at once if an engine is in place, or if the last attempt failed less than a
 *  day ago. */
export async function installEngine(options: InstallOptions = {}): Promise<EngineRecord> {
  const { retry = false, source: first, env = process.env, signal } = options;
  const at = new Date().toISOString();
  const failed: EngineRecord['failed'][number][] = [];
  let tfjsNode: string;
  try {
    tfjsNode = options.tfjsNode ?? tfjsNodeDirectory(env) ?? (await fetchTfjsNode(options));
  } catch (error) {
    signal?.throwIfAborted();
    return { engine: 'wasm', failed: [failureOf('npm', error)], at };
  }
  const record = readEngineRecord(tfjsNode);
  if (record && !retry && !first && isCurrent(record, tfjsNode)) return record;
  if (!first && isLinked(tfjsNode)) {
    const libtensorflow = await check(tfjsNode, options).catch(() => undefined);
    if (libtensorflow)
      return writeRecord(tfjsNode, { source: 'found', failed: [], ...record, engine: 'tensorflow', libtensorflow, at });
  }
  const usual: EngineSource = existsSync(libraryDirectory(thisMachine(env))) ? 'cache' : 'pip';
  for (const source of new Set(first ? [first, usual] : [usual])) {
    try {
      const libtensorflow = await (source === 'google' ? fromGoogle : fromWheel)(tfjsNode, options);
      return writeRecord(tfjsNode, { engine: 'tensorflow', source, libtensorflow, failed, at });
    } catch (error) {
      unlinkBinding(tfjsNode);
      signal?.throwIfAborted();
      failed.push(failureOf(source, error));
    }
  }
  if (first !== 'google') failed.push(UNVERIFIED);
  return writeRecord(tfjsNode, { engine: 'wasm', failed, at });
}

function failureOf(source: EngineRecord['failed'][number]['source'], error: unknown): EngineRecord['failed'][number] {
  const { message, fix } =
    (error instanceof FinetuneError ? error.problems[0] : undefined) ?? (error as Error & { fix?: string });
  return { source, why: message, fix: fix ?? `${SETUP} tries again` };
}

/** Runs tfjs-node's own install script, which npm skipped (.npmrc). Returns the version of the library. */
async function fromGoogle(tfjsNode: string, options: InstallOptions): Promise<string> {
  const { signal, onProgress, env = process.env } = options;
  const cdn = env.TFJS_NODE_CDN_STORAGE ?? env.npm_config_TFJS_NODE_CDN_STORAGE ?? env.CDN_STORAGE ?? GOOGLE;
  const url = `${env.TFJS_NODE_BASE_URI ?? `${cdn}tensorflow/libtensorflow/libtensorflow-`}cpu-linux-x86_64-2.9.1.tar.gz`;
  const why = await probe(url, tfjsNode, env, signal);
  if (why) throw unavailable(`${new URL(url).host} cannot be reached (${why})`, 'allow that host, or set HTTPS_PROXY');
  onProgress?.(`installing @tensorflow/tfjs-node with its own script; libtensorflow comes from ${new URL(url).host}`);
  const bins = [join(tfjsNode, 'node_modules', '.bin'), join(tfjsNode, '..', '..', '.bin'), dirname(process.execPath)];
  const scriptEnv: NodeJS.ProcessEnv = { ...env, PATH: [...bins, env.PATH].join(delimiter) };
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include', 'node'))) scriptEnv.npm_config_nodedir = prefix; // else node-gyp downloads headers
  unlinkBinding(tfjsNode);
  try {
    await run(process.execPath, ['scripts/install.js'], {
      cwd: tfjsNode,
      env: scriptEnv,
      signal,
      timeout: INSTALL_LIMIT,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw unavailable(`tfjs-node's install script failed (${(cause as Error).message})`, `${SETUP} tries again`, cause);
  }
  return check(tfjsNode, options);
}

/** Installs the library of the pip wheel, from the cache if it is there. Returns the version of the library. */
async function fromWheel(tfjsNode: string, options: InstallOptions): Promise<string> {
  const env = options.env ?? process.env;
  const cached = cachedBinding(tfjsNode, env);
  if (existsSync(cached)) {
    linkBinding(tfjsNode, env);
    const version = await check(tfjsNode, options).catch(() => undefined);
    if (version) return version;
    rmSync(cached); // it was compiled on another system that shares this home folder
  }
  await findCompiler(env); // throws before 260 MB are downloaded in vain
  await fetchLibrary(options);
  await compileBinding(tfjsNode, options);
  linkBinding(tfjsNode, env);
  return check(tfjsNode, options);
}

/** Loads the engine and computes with it. Returns the version of the library. Throws E_ENGINE_SETUP. */
async function check(tfjsNode: string, { env = process.env, signal }: InstallOptions): Promise<string> {
  const checkEnv = { ...env, TF_CPP_MIN_LOG_LEVEL: '2' };
  return run(process.execPath, ['-e', CHECK, tfjsNode], { env: checkEnv, signal, timeout: CHECK_LIMIT }).catch(
    (cause: unknown) => {
      signal?.throwIfAborted();
      throw unavailable(`TensorFlow does not load here (${(cause as Error).message})`, `${SETUP} tries again`, cause);
    },
  );
}

/** Returns why `url` does not answer, or undefined if it does. Uses the same proxy as tfjs-node's script. */
function probe(
  url: string,
  tfjsNode: string,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const proxy = env.HTTPS_PROXY ?? env.https_proxy ?? env.HTTP_PROXY ?? env.http_proxy;
  const requireOfTfjs = createRequire(join(tfjsNode, 'package.json'));
  const agent = proxy ? new (requireOfTfjs('https-proxy-agent') as new (uri: string) => https.Agent)(proxy) : undefined;
  const limits = [AbortSignal.timeout(PROBE_LIMIT), ...(signal ? [signal] : [])];
  return new Promise((resolve) => {
    const client = url.startsWith('https:') ? https : http;
    const request = client.request(url, { method: 'HEAD', agent, signal: AbortSignal.any(limits) }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      resolve(statusCode < 400 ? undefined : `HTTP ${statusCode}`);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.name === 'AbortError' ? `no answer in ${PROBE_LIMIT / 1000} s` : (error.code ?? error.message));
    });
    request.end();
  });
}

function isCurrent({ engine, at }: EngineRecord, tfjsNode: string): boolean {
  const linked = isLinked(tfjsNode);
  return engine === 'tensorflow' ? linked : !linked && Date.now() - Date.parse(at) < RETRY_AFTER;
}

const recordFile = (tfjsNode: string) => join(tfjsNode, 'finetune-engine.json');

function writeRecord(tfjsNode: string, record: EngineRecord): EngineRecord {
  try {
    writeFileSync(recordFile(tfjsNode), `${JSON.stringify(record, null, 2)}\n`);
  } catch {
    // The user may not write to this installation. Without a record, the next set-up starts anew.
  }
  return record;
}
