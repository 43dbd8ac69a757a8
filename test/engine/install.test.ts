import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { strToU8, zipSync } from 'fflate';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { describeEngine } from '../../src/cli/setup.js';
import { cachedBinding } from '../../src/engine/install/binding.js';
import { installEngine, readEngineRecord, type InstallOptions } from '../../src/engine/install/install.js';
import { fetchTfjsNode, tfjsNodeDirectory } from '../../src/engine/install/tfjsNode.js';
import { libraryDirectory, thisMachine, WHEEL_VERSION } from '../../src/engine/install/wheels.js';

const original = tfjsNodeDirectory();
const realLibrary = libraryDirectory(thisMachine(process.env));
/** Port 9 is `discard`, and nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9/';

let workplace: string; // under node_modules, so that a copy of tfjs-node finds its dependencies
let tfjsNode: string;
let env: NodeJS.ProcessEnv;
let wheelSha256: string | undefined;
const servers: Server[] = [];

/** A machine whose network reaches nothing, with an empty cache and a tfjs-node as npm leaves it. */
function machine(name: string) {
  const folder = join(workplace, name);
  const copy = join(folder, 'tfjs-node');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  for (const part of ['package.json', 'binding', 'dist', 'scripts']) {
    cpSync(join(original!, part), join(copy, part), { recursive: true });
  }
  if (existsSync(join(original!, 'node_modules')))
    symlinkSync(join(original!, 'node_modules'), join(copy, 'node_modules'));
  const offline: NodeJS.ProcessEnv = {
    ...process.env,
    XDG_CACHE_HOME: join(folder, 'cache'),
    TFJS_NODE_CDN_STORAGE: NOWHERE,
    PIP_INDEX_URL: `${NOWHERE}simple`,
    PIP_CONFIG_FILE: '/dev/null',
    PIP_EXTRA_INDEX_URL: '',
    PIP_FIND_LINKS: '',
    PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`,
  };
  for (const name of ['CXX', 'HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']) delete offline[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
  return { folder, copy, env: offline };
}

/** A program on the machine's PATH, as a shell script. */
function program(name: string, script: string): void {
  writeFileSync(join(tfjsNode, '..', 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** A pip that "downloads" a wheel with these entries. */
function pipServes(entries: Record<string, Uint8Array>): void {
  const wheel = join(tfjsNode, '..', 'tensorflow.whl');
  const bytes = zipSync(entries);
  writeFileSync(wheel, bytes);
  wheelSha256 = createHash('sha256').update(bytes).digest('hex');
  program('python3', `[ "$3" = --version ] && exit; while [ "$1" != --dest ]; do shift; done; cp '${wheel}' "$2"`);
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const install = (options: InstallOptions = {}) => installEngine({ tfjsNode, env, wheelSha256, ...options });
const cached = () => {
  const folder = join(env.XDG_CACHE_HOME!, 'tfjs-finetune');
  return existsSync(folder) ? readdirSync(folder) : [];
};

beforeAll(() => {
  if (!original) throw new Error('these tests need the npm package @tensorflow/tfjs-node (its binary is not needed)');
  const parent = join(original, '..', '..', '.cache');
  mkdirSync(parent, { recursive: true });
  workplace = mkdtempSync(join(parent, 'install-test-'));
});
beforeEach(() => {
  const { copy, env: offline } = machine(String(readdirSync(workplace).length));
  [tfjsNode, env, wheelSha256] = [copy, offline, undefined];
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(workplace, { recursive: true, force: true });
});

describe('where npm left tfjs-node out', () => {
  const ofYarn = () => ({ ...env, npm_execpath: '/usr/lib/yarn.js' }); // whose `ci` would be another command

  test('npm ci installs it into the cache, from a lock file with the hash of every package', async () => {
    const made = 'node_modules/@tensorflow/tfjs-node';
    program('npm', `[ "$1 $2" = 'ci --ignore-scripts' ] && mkdir -p ${made} && cp package-lock.json ${made}`);
    const folder = await fetchTfjsNode({ env: ofYarn() });
    expect(folder.startsWith(env.XDG_CACHE_HOME!)).toBe(true);
    const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { integrity?: string; resolved?: string }>;
    };
    const installed = Object.entries(packages).filter(([path]) => path !== '');
    expect(installed.length).toBeGreaterThan(100);
    for (const [path, { integrity, resolved }] of installed)
      expect([path, integrity, resolved]).toEqual([path, expect.stringMatching(/^sha512-/), undefined]);
    expect(cached()).toHaveLength(1); // nothing partial beside it
  });

  test('a failure of npm is told, and leaves nothing behind', async () => {
    program('npm', 'echo "npm error: integrity checksum failed" >&2; exit 1');
    await expect(fetchTfjsNode({ env: ofYarn() })).rejects.toMatchObject({
      code: 'E_ENGINE_SETUP',
      message: expect.stringContaining('integrity checksum failed') as unknown,
    });
    expect(cached()).toEqual([]);
  });
});

describe('no source works', () => {
  test('wasm, with the reason and the remedy of each source', async () => {
    const record = await install();
    expect(record.engine).toBe('wasm');
    expect(record.failed.map(({ source }) => source)).toEqual(['pip', 'google']);
    expect(record.failed[0]!.why).toMatch(/pip|compiler/);
    expect(record.failed[1]!.why).toMatch(/cannot be verified, so it is not used unless asked for/);
    for (const { fix } of record.failed) expect(fix).not.toBe('');
    expect(readEngineRecord(tfjsNode)).toEqual(record);
    expect(cached()).toEqual([]);
    const line = describeEngine(record);
    expect(line).not.toContain('\n');
    expect(line).toMatch(/^engine: wasm, training is about 10x slower, because .*\. Remedy: .*npm run setup$/);
  });

  test('the next start does not try again, an explicit retry does', async () => {
    const first = await install();
    const onProgress = jest.fn();
    env = { ...env, PATH: '/nowhere' };
    expect(await install({ onProgress })).toEqual(first);
    expect(onProgress).not.toHaveBeenCalled();
    const again = await install({ retry: true });
    expect(again.failed[0]!.why).toMatch(/no C\+\+ compiler/);
  });

  test('a day later it tries again by itself', async () => {
    const first = await install();
    const file = join(tfjsNode, 'finetune-engine.json');
    writeFileSync(file, JSON.stringify({ ...first, at: new Date(Date.now() - 25 * 3600_000).toISOString() }));
    env = { ...env, PATH: '/nowhere' };
    expect((await install()).failed[0]!.why).toMatch(/no C\+\+ compiler/);
  });

  test('no compiler is found out before anything is downloaded', async () => {
    program('python3', 'echo downloaded >&2; exit 1');
    env = { ...env, CXX: '/nowhere/c++' };
    expect((await install()).failed[0]).toMatchObject({
      why: expect.stringMatching(/no C\+\+ compiler/),
      fix: expect.stringMatching(/g\+\+/),
    });
  });

  test('a host that accepts and never answers costs five seconds', async () => {
    env = { ...env, CXX: '/nowhere/c++', TFJS_NODE_CDN_STORAGE: await serve(() => undefined) };
    expect((await install({ source: 'google' })).failed[0]!.why).toMatch(/no answer in 5 s/);
  });

  test('a download that breaks off leaves no half of an engine', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      if (request.method === 'HEAD') response.end();
      else response.write('not a tar file', () => response.destroy());
    });
    env = { ...env, CXX: '/nowhere/c++', TFJS_NODE_CDN_STORAGE: url };
    expect((await install({ source: 'google' })).failed[0]).toMatchObject({
      source: 'google',
      why: expect.stringMatching(/install script failed|does not load/),
    });
    expect(existsSync(join(tfjsNode, 'deps'))).toBe(false);
  });

  test('abort throws and records nothing', async () => {
    const reason = new Error('stopped by the user');
    await expect(install({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(readEngineRecord(tfjsNode)).toBeUndefined();
  });
});

describe('the pip wheel', () => {
  const libraries = {
    'tensorflow/libtensorflow_cc.so.2': strToU8('cc'),
    'tensorflow/libtensorflow_framework.so.2': strToU8('framework'),
  };

  test('its libraries and the few headers needed go to the cache, whole or not at all', async () => {
    pipServes({
      ...libraries,
      'tensorflow/include/tensorflow/c/c_api.h': strToU8('api'),
      'tensorflow/include/xla/tsl/c/tsl_status.h': strToU8('status'),
      'tensorflow/include/Eigen/Core': strToU8('never included'),
      'tensorflow/python/keras.py': strToU8('no'),
    });
    program('c++', 'echo "x.cc:1:2: fatal error: none of these is a library" >&2; [ "$1" = --version ]');
    const record = await install();
    expect(record.failed[0]!.why).toMatch(/binding does not compile \(.*fatal error: none of these is a library\)/);
    const library = libraryDirectory(thisMachine(env));
    expect(cached()).toEqual([basename(library)]);
    expect(readFileSync(join(library, 'lib', 'libtensorflow.so'), 'utf8')).toBe('cc');
    expect(readFileSync(join(library, 'lib', 'libtensorflow_framework.so'), 'utf8')).toBe('framework');
    expect(readFileSync(join(library, 'include', 'tensorflow', 'c', 'c_api.h'), 'utf8')).toBe('api');
    expect(readdirSync(join(library, 'include')).sort()).toEqual(['tensorflow', 'xla']);
    expect(existsSync(join(tfjsNode, 'deps'))).toBe(false);
  });

  test('of another sha256 than ours is not unpacked', async () => {
    program('c++', '');
    pipServes(libraries);
    const [served] = [wheelSha256];
    const { failed } = await install({ wheelSha256: undefined }); // the one in our source
    expect(failed[0]!.why).toMatch(
      new RegExp(`the wheel that pip fetched has sha256 ${served} instead of [0-9a-f]{64}`),
    );
    expect(failed[0]!.fix).toContain('pip config list');
    expect(cached()).toEqual([]);
  });

  test('names of its headers do not lead out of the cache', async () => {
    program('c++', 'exit 1');
    pipServes({ ...libraries, 'tensorflow/include/tensorflow/c/../../../../../../out.h': strToU8('bad') });
    await install();
    expect(readdirSync(join(env.XDG_CACHE_HOME!, '..'), { recursive: true }).join()).not.toContain('out.h');
  });

  test('without the library it is refused, and nothing stays in the cache', async () => {
    program('c++', '');
    pipServes({ 'tensorflow/libtensorflow_cc.so.2': libraries['tensorflow/libtensorflow_cc.so.2'] });
    expect((await install()).failed[0]!.why).toMatch(/libtensorflow_framework\.so\.2 is not in the wheel/);
    expect(cached()).toEqual([]);
  });
});

const withLibrary = existsSync(realLibrary) ? test : test.skip;
if (!existsSync(realLibrary)) console.warn(`skipped: the tests with a real library need ${realLibrary}`);

withLibrary(
  'a library in the cache serves every clone without network, the second one without compiler too',
  async () => {
    const library = libraryDirectory(thisMachine(env));
    mkdirSync(library, { recursive: true });
    for (const part of ['lib', 'include']) symlinkSync(join(realLibrary, part), join(library, part));
    const compiled = cachedBinding(original!, process.env);
    // A real compiler takes 15 s. Where the set-up has run it, this one hands out what it made.
    if (existsSync(compiled)) {
      program('c++', `[ "$1" = --version ] && exit; while [ "$1" != -o ]; do shift; done; cp '${compiled}' "$2"`);
    }
    const first = await install();
    expect(first).toMatchObject({ engine: 'tensorflow', source: 'cache', libtensorflow: WHEEL_VERSION, failed: [] });

    expect(await install({ env: { ...env, PATH: '/nowhere' } })).toEqual(first); // no program runs

    const clone = machine('clone').copy;
    const second = await install({ tfjsNode: clone, env: { ...env, CXX: '/nowhere/c++' } });
    expect(second).toMatchObject({ engine: 'tensorflow', source: 'cache', failed: [] });

    // a requested source that does not work leaves the engine that is in place
    const asked = await install({ source: 'google' });
    expect(asked).toMatchObject({ engine: 'tensorflow', source: 'cache', failed: [{ source: 'google' }] });

    // a clone whose cache was deleted has links that lead nowhere, and is set up anew
    rmSync(library, { recursive: true });
    expect((await install()).engine).toBe('wasm');
  },
  120_000,
);
