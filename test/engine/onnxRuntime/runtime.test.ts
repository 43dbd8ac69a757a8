import { beforeAll, describe, expect, test } from '@jest/globals';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnnxRuntime } from '../../../src/engine/install/onnxRuntime.js';
import type { RuntimeTensor } from '../../../src/engine/onnxRuntime/binding.js';
import { loadFrom, loadOnnxRuntime, type OnnxRuntime } from '../../../src/engine/onnxRuntime/runtime.js';
import { encodeOnnx } from '../../../src/onnx/encode.js';
import type { Port } from '../../../src/onnx/model.js';
import { temporaryFolder } from '../../data/temporaryFolder.js';

const folder = temporaryFolder();
const main = findOnnxRuntime()!;

const port = (name: string, dtype: Port['dtype']): Port => ({ key: name, name, dtype, shape: [2] });
const node = (op: string, inputs: readonly string[], output: string) => ({
  ...{ op, name: output, inputs, outputs: [output], attrs: {} },
});
const [chosen, n2] = [port('chosen', 'float32'), port('n2', 'int32')];
const model = encodeOnnx({
  nodes: [node('Add', ['x', 'x'], 'x2'), node('Where', ['which', 'x', 'x2'], 'chosen'), node('Add', ['n', 'n'], 'n2')],
  initializers: [],
  inputs: [port('x', 'float32'), port('n', 'int32'), port('which', 'bool')],
  outputs: [chosen, n2],
});
const inputs: Readonly<Record<string, RuntimeTensor>> = {
  x: { dtype: 'float32', shape: [2], data: Float32Array.of(1.5, 2.5) },
  n: { dtype: 'int32', shape: [2], data: Int32Array.of(-3, 4) },
  which: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
};

async function check(runtime: OnnxRuntime): Promise<void> {
  const session = await runtime.open(model, { threads: 1 });
  expect(await session.run(inputs, [n2, chosen])).toEqual([Int32Array.of(-6, 8), Float32Array.of(1.5, 5)]);
  const inferred = { ...chosen, shape: undefined };
  expect(await session.run(inputs, [inferred])).toEqual([Float32Array.of(1.5, 5)]);
  await expect(session.run({ x: inputs['x']! }, [n2])).rejects.toThrow();
  session.release();
  await expect(runtime.open(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'E_ONNX_RUNTIME' });
}

test('is called through its C API, which runs several models at once', async () => {
  const runtime = await loadOnnxRuntime();
  expect(runtime).toMatchObject({ runsAtOnce: true, obstacle: undefined });
  await check(runtime);
});

describe('where the C API cannot be called, the JavaScript of onnxruntime-node computes the same', () => {
  /** A library that has none of the functions. */
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: readonly string[] };
  const other =
    sharedObjects.find((file) => /\/libm[.-]/.test(file)) ?? sharedObjects.find((file) => /\.(so|dll)/.test(file));
  const names: Partial<Record<NodeJS.Platform, string>> = {
    darwin: 'libonnxruntime.1.dylib',
    win32: 'onnxruntime.dll',
  };
  const cases: Record<string, (file: string) => Promise<void>> = {
    'without a library': () => Promise.resolve(),
    'with a file that is no library': (file) => writeFile(file, 'no library'),
    'with a library of another kind': (file) => (process.platform === 'win32' ? copyFile : symlink)(other!, file),
  };
  beforeAll(() => expect(other).toBeDefined());

  test.each(Object.entries(cases))('%s', async (name, make) => {
    const root = join(folder, name);
    const bin = join(root, 'bin', 'napi-v6', process.platform, process.arch);
    await mkdir(bin, { recursive: true });
    await mkdir(join(root, 'dist'));
    await writeFile(join(root, 'package.json'), '{}');
    const index = join(root, 'dist', 'index.js');
    await writeFile(index, `module.exports = require(${JSON.stringify(main)});\n`);
    await make(join(bin, names[process.platform] ?? 'libonnxruntime.so.1'));
    const runtime = await loadFrom(index);
    expect(runtime).toMatchObject({ runsAtOnce: false, version: (await loadOnnxRuntime()).version });
    expect(runtime.obstacle).toMatch(/\S/);
    await check(runtime);
  });
});

test('a package that cannot be loaded at all is an error of its JavaScript', async () => {
  await expect(loadFrom(join(folder, 'nowhere', 'dist', 'index.js'))).rejects.toThrow(/nowhere/);
});
