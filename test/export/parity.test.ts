import { expect, test } from '@jest/globals';
import type { Results } from '../../src/engine/engine.js';
import { compareOutputs } from '../../src/export/parity.js';

const running = (results: readonly Results[]) => {
  const next = results.values();
  return { engine: 'none', run: () => Promise.resolve(next.next().value!), dispose: () => undefined };
};

/** Compares an output `y` of several images. */
const compared = (expected: readonly number[][], found: readonly number[][], chooses = false) =>
  compareOutputs({
    checkpoint: running(expected.map((values) => ({ y: Float32Array.from(values) }))),
    exported: running(found.map((values) => ({ y: Float32Array.from(values) }))),
    images: (async function* () {
      for (const index of expected.keys()) yield await Promise.resolve({ pixels: Float32Array.of(index) });
    })(),
    total: expected.length,
    feed: (pixels) => ({ image: pixels }),
    evaluators: undefined,
    chooses,
  });

test('the difference is a share of the largest value of the output over all images', async () => {
  const { parity, worst } = await compared([[1, -2], [8, 0]], [[1, -2], [8, 0.5]]); // prettier-ignore
  expect(parity).toMatchObject({ images: 2, maxDifference: 0.0625, metric: null });
  expect(worst).toMatchObject({ output: 'y', pixels: Float32Array.of(1) });
});

test('what is not a number, or of another length, differs infinitely', async () => {
  for (const found of [[NaN, 1], [Infinity, 1], [1]])
    // prettier-ignore
    expect((await compared([[1, 1]], [found])).parity.maxDifference).toBe(Infinity);
  expect((await compared([[0, 0]], [[0, 1e-9]])).parity.maxDifference).toBe(Infinity); // there is nothing to compare with
  expect((await compared([[0, 0]], [[0, 0]])).parity.maxDifference).toBe(0);
});

test('where the net chooses boxes, the median of the images counts', async () => {
  const [expected, found] = [[[1], [1], [1]], [[1], [5], [1]]]; // prettier-ignore
  expect((await compared(expected, found)).parity.maxDifference).toBe(4);
  expect((await compared(expected, found, true)).parity.maxDifference).toBe(0);
});
