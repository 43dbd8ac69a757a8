import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { checkParity, type Comparing } from '../../src/export/gate.js';
import type { Comparison } from '../../src/export/parity.js';
import { toFloat16 } from '../../src/graph/float16.js';
import { encodeSavedModel } from '../../src/tensorflow/savedModel.js';
import { quantizeWeight, storedAs } from '../../src/tensorflow/tfjs/quantizeWeights.js';
import type { GraphModelJson } from '../../src/tensorflow/tfjs/graphModel.js';
import { float16ToFloat32 } from '../../src/weights/decode/rawTensor.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
let run: string;
beforeAll(async () => {
  run = await makeRun(
    join(folder, 'run'),
    `task: detection\ndata: { format: synthetic, root: ${folder}/drawn, train: { images: 4 }, val: { images: 2 }, size: [64, 96], categories: [fish, house] }\nmodel: { head: ssdlite, backbone: ${tinyBackbone} }\n`,
  );
}, 60_000);

describe('float16', () => {
  const files = { onnx: 'model.onnx', savedmodel: 'saved_model.pb', tfjs: 'group1-shard1of1.bin' } as const;
  test.each(Object.keys(files) as (keyof typeof files)[])(
    'halves the weights of %s, and the model runs',
    async (format) => {
      const [half, whole] = [
        await exportModel(run, { format, quantize: 'float16' }),
        await exportModel(run, { format }),
      ];
      expect(half.directory).toBe(join(run, `${format}-float16`));
      expect(half.card).toMatchObject({ quantize: 'float16', input: { type: 'float32' }, parity: { images: 2 } });
      expect(half.card.parity.maxDifference).toBeGreaterThan(0);
      expect(half.card.parity.maxDifference).toBeLessThan(0.05);
      const bytes = await Promise.all(
        [half, whole].map(async ({ directory }) => (await stat(join(directory, files[format]))).size),
      );
      expect(bytes[0]! / bytes[1]!).toBeLessThan(0.8); // the graph itself is a large part of so small a file
      (await openModel(half.directory)).dispose();
    },
    60_000,
  );

  test('rounds to the nearest value, and ties to even', () => {
    const all = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
    const values = float16ToFloat32(new Uint8Array(all.buffer));
    expect(toFloat16(values)).toEqual(all);
    const [one, next] = [0x3c00, 0x3c01];
    const middle = (float16Of(one) + float16Of(next)) / 2;
    expect([...toFloat16(Float32Array.of(middle, -middle, -0, 1e-9, 65520, NaN))]).toEqual([
      one,
      0x8000 | one,
      0x8000,
      0,
      0x7c00,
      0x7e00,
    ]);
    expect([...toFloat16(Float32Array.of(middle + 1e-4))]).toEqual([next]);
  });
  const float16Of = (bits: number): number => float16ToFloat32(new Uint8Array(Uint16Array.of(bits).buffer))[0]!;

  test('is not used for values that it cannot hold', () => {
    expect(storedAs('float16', { isKernel: true, values: Float32Array.of(1e5) })).toBe('float32');
    expect(storedAs('float16', { isKernel: false, values: Float32Array.of(1) })).toBe('float16');
  });
});

describe('int8 weights of TensorFlow.js', () => {
  test('are levels of a range with an exact 0', () => {
    const { bytes, min, scale } = quantizeWeight(Float32Array.of(-0.5, 0, 1.5), 'uint8');
    const values = [...bytes].map((level) => level * scale! + min!);
    expect(values[1]).toBe(0);
    expect(values[0]).toBeCloseTo(-0.5, 2);
    expect(values[2]).toBeCloseTo(1.5, 2);
    expect([...quantizeWeight(new Float32Array(3), 'uint8').bytes]).toEqual([0, 0, 0]);
  });

  test('are those of kernels alone', async () => {
    const { directory, card } = await exportModel(run, { format: 'tfjs', quantize: 'int8', tolerance: 1 });
    expect(card.quantize).toBe('int8');
    const json = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as GraphModelJson;
    const { weights } = json.weightsManifest[0]!;
    const kinds = new Set(weights.filter(({ quantization }) => quantization).map(({ name }) => name.split('.').at(-1)));
    expect(weights.some(({ quantization }) => quantization?.dtype === 'uint8')).toBe(true);
    expect([...kinds].every((kind) => kind === 'weight' || kind === 'folded')).toBe(true);
    (await openModel(directory)).dispose();
  }, 60_000);
});

describe('the gate', () => {
  const comparison: Comparison = {
    parity: {
      images: 10,
      maxDifference: 0.2,
      metric: { name: 'AP', checkpoint: 0.5, exported: 0.48 },
      engines: { checkpoint: 'a', exported: 'b' },
    },
    worst: { pixels: new Float32Array(), output: 'boxes' },
  };
  const check = (quantize: 'int8' | 'float16', tolerance: number) =>
    checkParity(comparison, {
      directory: folder,
      adapted: { feed: () => ({}) },
      options: { quantize, tolerance, images: undefined },
    } as unknown as Parameters<typeof checkParity>[1] & Comparing);

  test.each([
    ['int8', 0.01],
    ['float16', 0.002],
  ] as const)('refuses %s that loses more than it may, and says how much', async (quantize, tolerance) => {
    await expect(check(quantize, tolerance)).rejects.toMatchObject({
      code: 'E_EXPORT_PARITY',
      message: expect.stringMatching(/AP is 0\.4800 instead of 0\.5000 \(allowed: a loss of 0\.0/),
      problems: [{ where: { file: folder }, fix: expect.stringContaining('--tolerance') }],
    });
    await expect(check(quantize, 0.03)).resolves.toBeUndefined();
  });
});

test('a SavedModel of 2 GB is refused, with what can hold it', () => {
  const tensor = { dtype: 'float32', shape: [2 ** 28], values: new Float32Array(2 ** 28) } as const; // 1 GB
  const node = { name: 'w', op: 'Const', inputs: [], attrs: { value: { tensor } } };
  expect(() => encodeSavedModel({ nodes: [node, node], inputs: [], outputs: [] })).toThrow(
    expect.objectContaining({ code: 'E_EXPORT_SIZE', message: expect.stringContaining('2.1 GB') }),
  );
});
