import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import {
  ARCHIVES,
  fetchOnnxRuntime,
  findOnnxRuntime,
  type OnnxRuntimeOptions,
} from '../../../src/engine/install/onnxRuntime.js';
import { installForInference } from '../../../src/engine/install/installForInference.js';
import type { ProgressEvent } from '../../../src/progress.js';

let workplace: string;
let folder: string;
let number = 0;
let options: OnnxRuntimeOptions;

beforeAll(() => {
  workplace = mkdtempSync(join(tmpdir(), 'onnx-runtime-'));
});
afterAll(() => {
  rmSync(workplace, { recursive: true });
});
beforeEach(async () => {
  folder = join(workplace, String(number++));
  const archives = [
    await archive('onnxruntime-node', [
      'dist/index.js',
      'dist/index.js.map',
      'script/install.js',
      'bin/napi-v6/linux/x64/libonnxruntime.so.1',
      'bin/napi-v6/win32/x64/onnxruntime.dll',
    ]),
    await archive('onnxruntime-common', ['dist/cjs/index.js', 'dist/cjs/package.json']),
  ];
  const env = { XDG_CACHE_HOME: join(folder, 'cache'), PATH: join(folder, 'bin'), npm_execpath: '/usr/lib/yarn.js' };
  options = { env, platform: 'linux', arch: 'x64', useInstalled: false, archives };
  program(`while [ "$1" != --pack-destination ]; do shift; done; cp '${folder}'/*.tgz "$2"`);
});

/** An npm on the machine's PATH, as a shell script. */
function program(script: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'npm'), `#!/bin/sh\nPATH=/bin:/usr/bin\n${script}\n`, { mode: 0o755 });
}

/** Packs a package as npm does. */
async function archive(name: string, files: readonly string[]) {
  const source = join(folder, name);
  for (const path of [...files, 'package.json']) {
    mkdirSync(dirname(join(source, 'package', path)), { recursive: true });
    writeFileSync(join(source, 'package', path), path);
  }
  const file = join(folder, `${name}-1.30.0.tgz`);
  await create({ file, cwd: source, gzip: true }, ['package']);
  const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  return { name, version: '1.30.0', integrity };
}

const cached = () => {
  const cache = join(folder, 'cache', 'tfjs-finetune');
  return existsSync(cache) ? readdirSync(cache, { recursive: true }).map(String) : [];
};

test('npm fetches what this system needs, once', async () => {
  const messages: string[] = [];
  await fetchOnnxRuntime({ ...options, onProgress: (event) => messages.push(JSON.stringify(event)) });
  const target = 'onnxruntime-1.30.0-linux-x64';
  expect(messages).toEqual([expect.stringMatching(`downloading ONNX Runtime 1.30.0 .* to .*${target}`)]);
  expect(findOnnxRuntime(options)).toMatch(`${target}/node_modules/onnxruntime-node/dist/index.js`);
  const modules = `${target}/node_modules`;
  expect(cached().filter((path) => /\.\w+$/.test(path) && path !== target)).toEqual(
    expect.arrayContaining([
      `${modules}/onnxruntime-node/package.json`,
      `${modules}/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1`,
      `${modules}/onnxruntime-common/dist/cjs/index.js`,
    ]),
  );
  expect(cached().filter((path) => /\.dll|\.map|script|tgz|tmp|lock/.test(path))).toEqual([]);
  program('exit 1');
  await fetchOnnxRuntime(options);
});

test('another content than ours is refused, and nothing stays', async () => {
  const archives = options.archives!.map((one) => ({ ...one, integrity: ARCHIVES[0]!.integrity }));
  await expect(fetchOnnxRuntime({ ...options, archives })).rejects.toMatchObject({
    code: 'E_ENGINE_SETUP',
    message: expect.stringContaining('another sha512 than ours') as unknown,
  });
  expect(cached()).toEqual(['partial']);
});

test('a failure of npm is told in its words', async () => {
  program('echo "npm error code ENOTFOUND" >&2; exit 1');
  await expect(fetchOnnxRuntime(options)).rejects.toMatchObject({
    message: expect.stringMatching(/npm cannot fetch ONNX Runtime \(npm: npm error code ENOTFOUND\)/) as unknown,
  });
});

test('whoever predicts gets it where there is no other engine, and goes on without it where npm fails', async () => {
  const messages: string[] = [];
  const onProgress = (event: ProgressEvent) => messages.push(JSON.stringify(event));
  program('echo "npm error code ENOTFOUND" >&2; exit 1');
  await installForInference('auto', { ...options, packageFolder: () => undefined, onProgress });
  expect(messages.at(-1)).toMatch(/without ONNX Runtime, predicting is slower: npm cannot fetch/);
  const library = join(folder, 'tfjs-node', 'deps', 'lib');
  mkdirSync(library, { recursive: true });
  for (const name of ['libtensorflow.so', 'libtensorflow_framework.so']) writeFileSync(join(library, name), '');
  await installForInference('auto', { ...options, packageFolder: () => join(folder, 'tfjs-node'), onProgress });
  expect(messages).toHaveLength(2); // nothing was tried
  await installForInference('onnxruntime', { ...options, packageFolder: () => join(folder, 'tfjs-node'), onProgress });
  expect(messages).toHaveLength(4); // a person asks for it
});

test('a copy that npm has installed is taken', () => {
  expect(findOnnxRuntime()).toMatch(/node_modules.onnxruntime-node/);
});
