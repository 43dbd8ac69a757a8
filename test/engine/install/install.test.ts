import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { strToU8, zipSync } from 'fflate';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describeEngine } from '../../../src/cli/setup.js';
import { checkLibrary } from '../../../src/engine/install/checkLibrary.js';
import { findLibrary } from '../../../src/engine/install/findLibrary.js';
import { installEngine, type InstallOptions } from '../../../src/engine/install/install.js';
import { readEngineRecord } from '../../../src/engine/install/record.js';
import { libraryDirectory, type Machine, type Wheel } from '../../../src/engine/install/wheels.js';
import type { ProgressEvent } from '../../../src/progress.js';
import { openServer, type LocalServer } from '../../fetch/localServer.js';

/** Port 9 is `discard`, and nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9/simple';
const FILE = 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl';
const library = randomBytes(3_000_000); // so large that a download of it can be stopped
const content = zipSync({
  'tensorflow/include/tensorflow/c/c_api.h': strToU8('a header'),
  'tensorflow/libtensorflow_cc.so.2': [library, { level: 0 }],
  'tensorflow/libtensorflow_framework.so.2': strToU8('framework'),
});
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const wheel: Wheel = {
  project: 'tensorflow-cpu',
  file: FILE,
  bytes: content.byteLength,
  unpacked: library.byteLength,
  sha256: hashOf(content),
  main: 'libtensorflow_cc.so.2',
  framework: 'libtensorflow_framework.so.2',
};

let workplace: string;
let folder: string;
let server: LocalServer;
let machine: Machine;
let events: ProgressEvent[];
let number = 0;

beforeAll(() => {
  workplace = mkdtempSync(join(tmpdir(), 'install-'));
});
beforeEach(async () => {
  folder = join(workplace, String(number++));
  mkdirSync(join(folder, 'bin'), { recursive: true });
  server = await openServer();
  events = [];
  const env = {
    XDG_CACHE_HOME: join(folder, 'cache'),
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: `${server.url}/simple`,
    PATH: join(folder, 'bin'), // there is no Python
  };
  machine = { env, platform: 'linux', arch: 'x64' };
});
afterEach(() => server.close());
afterAll(() => {
  rmSync(workplace, { recursive: true });
});

const check = () => Promise.resolve('2.21.0');
const install = (options: InstallOptions = {}) =>
  installEngine({
    ...machine,
    wheel,
    check,
    packageFolder: () => undefined,
    onProgress: (event) => events.push(event),
    ...options,
  });
const set = (env: NodeJS.ProcessEnv) => {
  machine = { ...machine, env: { ...machine.env, ...env } };
};
const cache = () => join(folder, 'cache', 'tfjs-finetune');
const cached = () => (existsSync(cache()) ? readdirSync(cache(), { recursive: true }).map(String) : []);
const messages = () => events.flatMap((event) => ('message' in event ? [event.message] : []));
const asked = () => server.requests.map(({ path }) => path);
const find = () => findLibrary({ ...machine, packageFolder: () => undefined });

/** The index of PyPI: JSON with absolute addresses. */
function serveJson(bytes: Uint8Array = content): void {
  const files = [FILE.replace('2.21.0', '2.20.0'), FILE].map((name) => ({
    filename: name,
    url: `${server.url}/packages/ab/${name}`,
  }));
  server.files.set('/simple/tensorflow-cpu/', strToU8(JSON.stringify({ files, name: 'tensorflow-cpu' })));
  server.files.set(`/packages/ab/${FILE}`, bytes);
}
/** A mirror: HTML with relative addresses. */
function serveHtml(): void {
  const page = `<!DOCTYPE html><a class="x" href="../../files/${FILE.replace('_cpu', '%5Fcpu')}#sha256=${wheel.sha256}">${FILE}</a>`;
  server.files.set('/simple/tensorflow-cpu/', strToU8(page));
  server.files.set(`/files/${FILE.replace('_cpu', '%5Fcpu')}`, content);
}
/** A program on the machine's PATH, as a shell script. */
const program = (name: string, script: string) =>
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nPATH=/bin:/usr/bin\n${script}\n`, { mode: 0o755 });
/** A pip that "downloads" a wheel. */
function pipServes(bytes: Uint8Array): void {
  writeFileSync(join(folder, 'pip.whl'), bytes);
  const copy = `cp '${join(folder, 'pip.whl')}' "$2"`;
  program('python3', `[ "$3" = --version ] && exit; while [ "$1" != --dest ]; do shift; done; ${copy}`);
}

describe('from an index', () => {
  test('the library comes without Python, and a second set-up asks nobody', async () => {
    serveJson();
    const record = await install();
    expect(record).toMatchObject({ engine: 'tensorflow', source: 'wheel', libtensorflow: '2.21.0', failed: [] });
    expect(find()?.main).toBe(record.library);
    expect(readFileSync(record.library!).equals(library)).toBe(true);
    expect(readdirSync(join(libraryDirectory(machine), 'lib'))).toEqual([wheel.main, wheel.framework]);
    expect(cached().filter((name) => /partial.|tmp|lock|out/.test(name))).toEqual([]);

    const { host } = new URL(server.url);
    expect(messages()[0]).toMatch(
      new RegExp(`^downloading libtensorflow 2.21.0 \\(3 MB\\) from ${host} to ${libraryDirectory(machine)}$`),
    );
    expect(messages()[1]).toBe(`unpacking libtensorflow to ${libraryDirectory(machine)}`);
    expect(events).toContainEqual(expect.objectContaining({ phase: 'setup', total: content.byteLength }));

    const before = server.requests.length;
    expect(await install()).toEqual(record);
    set({ PIP_INDEX_URL: NOWHERE });
    rmSync(join(cache(), 'engine-linux-x64.json')); // as where a filled cache was copied to
    expect(await install()).toMatchObject({ engine: 'tensorflow', source: 'wheel' });
    expect(server.requests).toHaveLength(before);
  });

  test('a mirror with pages of HTML and relative addresses will do', async () => {
    serveHtml();
    expect(await install()).toMatchObject({ engine: 'tensorflow' });
  });

  test('and so do an index and a folder on a disk, from which nothing is copied', async () => {
    set({ PIP_INDEX_URL: `file://${folder}/index` });
    mkdirSync(join(folder, 'index', 'tensorflow-cpu'), { recursive: true });
    writeFileSync(join(folder, 'index', 'tensorflow-cpu', 'index.html'), `<a href='../${FILE}#sha256=0'>it</a>`);
    writeFileSync(join(folder, 'index', FILE), content);
    expect(await install()).toMatchObject({ engine: 'tensorflow' });
    expect(existsSync(join(folder, 'index', FILE))).toBe(true);
    rmSync(cache(), { recursive: true });
    set({ PIP_INDEX_URL: NOWHERE, PIP_FIND_LINKS: join(folder, 'index') });
    expect(await install()).toMatchObject({ engine: 'tensorflow' });
  });

  test('the second index is asked where the first has no such wheel', async () => {
    serveJson();
    set({ PIP_INDEX_URL: `${server.url}/empty`, PIP_EXTRA_INDEX_URL: `${server.url}/simple` });
    server.files.set('/empty/tensorflow-cpu/', strToU8('<html></html>'));
    expect(await install()).toMatchObject({ engine: 'tensorflow' });
    expect(asked().slice(0, 2)).toEqual(['/empty/tensorflow-cpu/', '/simple/tensorflow-cpu/']);
  });

  test('a password goes to its server alone, and is printed and kept nowhere', async () => {
    serveHtml();
    const other = await openServer(); // another port, to which the wheel's address leads
    try {
      other.files.set(`/${FILE}`, content);
      server.files.set('/simple/tensorflow-cpu/', strToU8(`<a href="${other.url}/${FILE}">it</a>`));
      set({ PIP_INDEX_URL: `${server.url.replace('//', '//me:pass%2Fword@')}/simple` });
      await install();
      const basic = `Basic ${Buffer.from('me:pass/word').toString('base64')}`;
      expect(server.requests.map(({ authorization }) => authorization)).toEqual([basic]);
      expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
      serveHtml();
      rmSync(cache(), { recursive: true });
      await install();
      expect(server.requests.map(({ authorization }) => authorization)).toEqual([basic, basic, basic]);

      server.behaviour.set('/simple/tensorflow-cpu/', [{ status: 401 }]);
      rmSync(cache(), { recursive: true });
      const record = await install();
      expect(record.failed[0]?.why).toMatch(/denied \(401/);
      expect(JSON.stringify([events, record])).not.toMatch(/pass.{1,3}word/);
    } finally {
      await other.close();
    }
  });

  test('a wheel with another sha256 is not unpacked, and pip is not asked for it again', async () => {
    serveJson(zipSync({ 'tensorflow/libtensorflow_cc.so.2': strToU8('another') }));
    pipServes(content);
    const { engine, failed } = await install();
    expect(engine).toBe('wasm');
    expect(failed[0]?.why).toMatch(new RegExp(`has sha256 [0-9a-f]{64} instead of ${wheel.sha256}, and is not used`));
    expect(failed[0]?.fix).toContain('pip config list');
    expect(cached().filter((name) => name.startsWith('libtensorflow'))).toEqual([]);
  });
});

test('a wheel without the library, or with a name that leads out of it, is refused as a whole', async () => {
  const lacking = zipSync({ 'tensorflow/libtensorflow_cc.so.2': strToU8('alone') });
  const leaving = zipSync({ 'tensorflow/libtensorflow_cc.so.2': strToU8('cc'), '../../out.so': strToU8('bad') });
  for (const [bytes, why] of [
    [lacking, /libtensorflow_framework\.so\.2 is not in the wheel/],
    [leaving, /leads out of the archive/],
  ] as const) {
    serveJson(bytes);
    const { failed } = await install({ retry: true, wheel: { ...wheel, sha256: hashOf(bytes) } });
    expect(failed[0]?.why).toMatch(why);
    expect(cached().filter((name) => /^libtensorflow|tmp|out/.test(name))).toEqual([]);
  }
});

describe('interrupted', () => {
  test('Ctrl-C stops the download, and the next set-up resumes it', async () => {
    serveJson();
    const controller = new AbortController();
    const reason = new Error('stopped by the user');
    const onProgress = (event: ProgressEvent) => {
      if ('done' in event && event.done > 100_000) controller.abort(reason);
    };
    await expect(install({ signal: controller.signal, onProgress })).rejects.toBe(reason);
    expect(readEngineRecord(machine)).toBeUndefined();
    expect(find()).toBeUndefined();
    const { size } = statSync(join(cache(), 'partial', `${FILE}.part`));
    expect(size).toBeGreaterThan(100_000);
    expect(await install()).toMatchObject({ engine: 'tensorflow' });
    expect(server.requests.at(-1)?.range).toBe(`bytes=${size}-`);
  });

  test('what killed processes have left is removed, and what others are making is not', async () => {
    serveJson();
    const target = libraryDirectory(machine);
    const old = [`${target}.00ff00ff00ff.tmp`, join(cache(), 'partial-AbC123'), target];
    const others = [join(cache(), 'partial-AbC124'), join(cache(), 'libtensorflow-2.20.0-linux-x64.00.tmp')];
    for (const path of [...old, ...others]) mkdirSync(join(path, 'lib'), { recursive: true });
    utimesSync(old[1]!, 0, 0);
    writeFileSync(join(target, 'lib', wheel.main), 'half of it');
    expect(await install()).toMatchObject({ engine: 'tensorflow' });
    expect(old.slice(0, 2).filter((path) => existsSync(path))).toEqual([]);
    expect(others.filter((path) => !existsSync(path))).toEqual([]);
  });

  test('two set-ups at once download it once', async () => {
    serveJson();
    const [first, second] = await Promise.all([install(), install()]);
    expect([first.engine, second.engine]).toEqual(['tensorflow', 'tensorflow']);
    expect(asked().filter((path) => path.endsWith('.whl'))).toHaveLength(1);
  });

  test('a full disk is told before anything is downloaded', async () => {
    serveJson();
    const { failed } = await install({ wheel: { ...wheel, unpacked: 1e18 } });
    expect(failed[0]?.why).toMatch(
      /tfjs-finetune\/partial: TensorFlow's C library needs \d+ MB here, and \d+ MB are free/,
    );
    expect(failed[0]?.fix).toContain('XDG_CACHE_HOME');
    expect(server.requests).toEqual([]);
  });
});

describe('with pip', () => {
  test('which knows passwords that we do not', async () => {
    server.behaviour.set('/simple/tensorflow-cpu/', [{ status: 401 }]);
    pipServes(content);
    expect(await install()).toMatchObject({ engine: 'tensorflow', failed: [] });
    expect(messages()[0]).toMatch(/^downloading libtensorflow 2.21.0 with pip to /);
    expect(cached().filter((name) => /partial.|tmp/.test(name))).toEqual([]);
  });

  test('another wheel is not unpacked, and not kept', async () => {
    set({ PIP_INDEX_URL: NOWHERE });
    pipServes(zipSync({ 'tensorflow/libtensorflow_cc.so.2': strToU8('another') }));
    expect((await install()).failed[0]?.why).toMatch(/the wheel that pip fetched has sha256 .*, and is not used/);
    expect(cached().filter((name) => name.endsWith('.whl'))).toEqual([]);
  });

  test('a failure of both names both reasons, without a password', async () => {
    set({ PIP_INDEX_URL: 'http://me:secret@127.0.0.1:9/simple' });
    program('pip', '[ "$1" = --version ] && exit; echo "ERROR: no route to $PIP_INDEX_URL" >&2; exit 1');
    const record = await install();
    expect(record.failed[0]?.why).toMatch(/127\.0\.0\.1:9 cannot be reached.*; pip: ERROR: no route/);
    expect(JSON.stringify(record)).not.toContain('secret');
  });
});

describe('no library', () => {
  test('wasm, with reason and remedy in one line; a day later it tries again, or when it is asked to', async () => {
    set({ PIP_INDEX_URL: NOWHERE });
    const first = await install();
    expect(first).toMatchObject({ engine: 'wasm', failed: [{ source: 'wheel' }] });
    expect(readEngineRecord(machine)).toEqual(first);
    const line = describeEngine(first);
    expect(line).toMatch(
      /^engine: wasm, training is about 10x slower, because .*cannot be reached.*no pip.*\. Remedy: .*run setup$/,
    );
    serveJson();
    set({ PIP_INDEX_URL: `${server.url}/simple` });
    expect(await install()).toEqual(first);
    expect(server.requests).toEqual([]);
    const file = join(cache(), 'engine-linux-x64.json');
    writeFileSync(file, JSON.stringify({ ...first, at: new Date(Date.now() - 25 * 3600_000).toISOString() }));
    expect((await install()).engine).toBe('tensorflow');
    rmSync(libraryDirectory(machine), { recursive: true });
    writeFileSync(file, JSON.stringify(first));
    expect((await install({ retry: true })).engine).toBe('tensorflow');
  });

  test('where no wheel has it, the download of tfjs-node is the way, which a person installs', async () => {
    machine = { ...machine, platform: 'win32' };
    const { engine, failed } = await install({ wheel: undefined });
    expect(engine).toBe('wasm');
    expect(failed[0]).toEqual({
      source: 'wheel',
      why: "no pip wheel holds TensorFlow's C library for win32 x64",
      fix: expect.stringContaining('npm install @tensorflow/tfjs-node --ignore-scripts=false') as unknown,
    });
    const lib = join(folder, 'tfjs-node', 'deps', 'lib');
    mkdirSync(lib, { recursive: true });
    writeFileSync(join(lib, 'tensorflow.dll'), 'library');
    const packageFolder = (name: string) => join(folder, basename(name));
    expect(await install({ packageFolder })).toMatchObject({ engine: 'tensorflow', source: 'tfjs-node' });
  });

  test('one that ends its process is passed over from then on, also by the engine', async () => {
    serveJson();
    const fails = jest.fn(() => Promise.reject(new Error('its process ends with SIGILL')));
    const first = await install({ check: fails });
    expect(first.failed).toMatchObject([{ source: 'wheel', why: 'its process ends with SIGILL' }]);
    expect(first.engine).toBe('wasm');
    expect(find()).toBeUndefined();
    expect(await install({ check: fails })).toEqual(first);
    expect(fails).toHaveBeenCalledTimes(1);
    expect(await install({ retry: true })).toMatchObject({ engine: 'tensorflow', unusable: [] });
    expect(find()).toBeDefined();
  });
});

test('a file that is no library is found out in another process', async () => {
  serveJson();
  const { failed } = await install({ check: checkLibrary });
  expect(failed[0]?.why).toMatch(/libtensorflow_cc\.so\.2 does not load here \(.*Error/);
});
