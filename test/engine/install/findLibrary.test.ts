import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findLibrary, installedFolder, type FindOptions } from '../../../src/engine/install/findLibrary.js';

let workplace: string;
let folder: string; // with cache/ and the packages
let number = 0;
beforeAll(() => {
  workplace = mkdtempSync(join(tmpdir(), 'find-library-'));
});
beforeEach(() => {
  folder = join(workplace, String(number++));
});
afterAll(() => {
  rmSync(workplace, { recursive: true });
});

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), 'library');
  }
}
const find = (platform: NodeJS.Platform, arch: string, options: FindOptions = {}) =>
  findLibrary({
    env: { XDG_CACHE_HOME: join(folder, 'cache') },
    platform,
    arch,
    packageFolder: (name) => join(folder, name),
    ...options,
  });
const inCache = (target: string, name: string) => `cache/tfjs-finetune/libtensorflow-2.21.0-${target}/lib/${name}`;
const linuxWheel = (arch = 'x64') =>
  ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((name) => inCache(`linux-${arch}`, name));
const inPackage = (name: string) => [
  `@tensorflow/${name}/deps/lib/libtensorflow.so.2`,
  `@tensorflow/${name}/deps/lib/libtensorflow.so.2.9.1`,
  `@tensorflow/${name}/deps/lib/libtensorflow_framework.so.2`,
];

describe('findLibrary', () => {
  test('nothing in place: undefined', () => {
    put('@tensorflow/tfjs-node/package.json');
    for (const platform of ['linux', 'darwin', 'win32', 'freebsd'] as const)
      expect(find(platform, 'x64')).toBeUndefined();
  });

  test('a library for a GPU comes first, then the wheel, then tfjs-node', () => {
    put(...inPackage('tfjs-node'));
    expect(find('linux', 'x64')).toMatchObject({ source: 'tfjs-node', version: '2.9.1' });
    put(...linuxWheel());
    expect(find('linux', 'x64')).toEqual({
      source: 'wheel',
      directory: join(folder, inCache('linux-x64', '')).replace(/\/$/, ''),
      main: join(folder, linuxWheel()[0]!),
      framework: join(folder, linuxWheel()[1]!),
      version: '2.21.0',
    });
    put(...inPackage('tfjs-node-gpu'));
    expect(find('linux', 'x64')).toMatchObject({ source: 'tfjs-node-gpu' });
    const inGpu = ['cc', 'framework'].map(
      (name) => `cache/tfjs-finetune/gpu-2.21.0/tensorflow/libtensorflow_${name}.so.2`,
    );
    put(...inGpu);
    expect(find('linux', 'x64')).toMatchObject({ source: 'gpu-wheel', main: join(folder, inGpu[0]!) });
    expect(find('linux', 'x64', { sources: ['tfjs-node', 'wheel'] })).toMatchObject({ source: 'tfjs-node' });
  });

  test('a library of another processor is not taken', () => {
    put(...linuxWheel('x64'));
    expect(find('linux', 'arm64')).toBeUndefined();
    put(...linuxWheel('arm64'));
    expect(find('linux', 'arm64')?.source).toBe('wheel');
  });

  test('macOS: the wheel on arm64, the download of tfjs-node on x64', () => {
    put(...['libtensorflow_cc', 'libtensorflow_framework'].map((name) => inCache('darwin-arm64', `${name}.2.dylib`)));
    expect(find('darwin', 'arm64')?.main).toMatch(/libtensorflow_cc\.2\.dylib$/);
    expect(find('darwin', 'x64')).toBeUndefined();
    const names = ['libtensorflow.2.dylib', 'libtensorflow.2.9.1.dylib', 'libtensorflow_framework.2.dylib'];
    put(...names.map((name) => `@tensorflow/tfjs-node/deps/lib/${name}`));
    expect(find('darwin', 'x64')).toMatchObject({ source: 'tfjs-node', version: '2.9.1' });
    expect(find('darwin', 'x64')?.framework).toMatch(/libtensorflow_framework\.2\.dylib$/);
  });

  test('Windows: tensorflow.dll, which needs no second file', () => {
    put('@tensorflow/tfjs-node/deps/lib/tensorflow.dll');
    const library = find('win32', 'x64');
    expect(library).toMatchObject({ source: 'tfjs-node', framework: undefined, version: undefined });
    expect(library?.main).toMatch(/tensorflow\.dll$/);
  });

  test('half a library and a link that leads nowhere do not count', () => {
    put(linuxWheel()[0]!, inPackage('tfjs-node')[0]!);
    expect(find('linux', 'x64')).toBeUndefined();
    mkdirSync(join(folder, '@tensorflow/tfjs-node-gpu'), { recursive: true });
    symlinkSync(join(folder, 'gone'), join(folder, '@tensorflow/tfjs-node-gpu/deps'));
    expect(find('linux', 'x64')).toBeUndefined();
  });
});

test('packages are found where Node finds them', () => {
  expect(installedFolder('yaml')).toMatch(/yaml$/);
  expect(installedFolder('@tensorflow/tfjs-nothing')).toBeUndefined();
});
