import { expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import * as b from '../../src/graph/builder.js';
import { gradients } from '../../src/graph/grad.js';
import type { Padding } from '../../src/graph/spec.js';
import { openEngines } from '../engines.js';

const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');
const uneven: Padding = [[0, 2], [1, 0]]; // prettier-ignore

/** d/dfilter of Σ conv(x, f)², with the kernels of oneDNN or as products of matrices. */
async function filterGradient(prefersMatrices: boolean, channels: readonly [number, number], padding: Padding) {
  const [from, to] = channels;
  const graph = b.createGraph();
  const x = b.input(graph, 'x', [2, 7, 9, from]);
  const filter = b.input(graph, 'filter', [3, 2, from, to]);
  const y = b.conv(x, filter, { stride: 1, dilation: 1, padding });
  const [gradient] = gradients(b.sum(b.square(y)), [filter]);
  const backend = await openBackend({ engine: 'tensorflow' });
  if (backend.name !== 'tensorflow') throw new Error('unreachable');
  const session = await compile({ run: { outputs: { gradient: gradient! } } }, { ...backend, prefersMatrices });
  const wave = (length: number, by: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * by));
  const results = await session.run('run', { x: wave(2 * 7 * 9 * from, 0.7), filter: wave(6 * from * to, 0.3) });
  session.dispose();
  return results.gradient!;
}

(hasTensorflow ? test : test.skip).each([
  [
    'wide, without padding',
    [32, 48],
    [
      [0, 0],
      [0, 0],
    ],
  ],
  ['wide, with uneven padding', [32, 32], uneven],
  ['narrow: the kernel all the same', [8, 48], uneven],
] as const)('a gradient of a filter is the same as products of matrices: %s', async (_, channels, padding) => {
  const [ours, kernel] = [
    await filterGradient(true, channels, padding),
    await filterGradient(false, channels, padding),
  ];
  const largest = Math.max(...kernel.map(Math.abs));
  expect(Math.max(...ours.map((value, i) => Math.abs(value - kernel[i]!)))).toBeLessThan(largest * 1e-5);
});
