import { expect, test } from '@jest/globals';
import { FinetuneError } from '../../src/errors.js';
import { mostAtOnce, inGroups, type Prepared } from '../../src/predict/groups.js';
import type { View } from '../../src/predict/readImage.js';
import type { ModelDescription } from '../../src/tasks/description/description.js';

const view = (side: number): Prepared => ({
  width: 1,
  height: 1,
  view: { size: [side, side], pixels: Uint8Array.of(side) } as unknown as View,
});
const tiled: Prepared = { width: 9, height: 9, source: 'x.jpg' };
const broken = new FinetuneError({ code: 'E_FEED', message: 'x' });

async function groups(images: readonly (Prepared | FinetuneError)[], batch: number): Promise<number[]> {
  async function* each() {
    for (const image of images) yield await Promise.resolve(image);
  }
  const lengths: number[] = [];
  const all: unknown[] = [];
  for await (const group of inGroups(each(), batch)) {
    lengths.push(group.length);
    all.push(...group);
  }
  expect(all).toEqual(images);
  return lengths;
}

test('groups are of one size, and have as many images as a batch holds', async () => {
  const [a, b] = [view(1), view(2)];
  expect(await groups([a, a, a, a, a], 2)).toEqual([2, 2, 1]);
  expect(await groups([a, b, b, a], 2)).toEqual([1, 2, 1]);
  expect(await groups([a, broken, a, broken, a], 2)).toEqual([3, 2]);
  expect(await groups([a, tiled, a, a], 2)).toEqual([1, 1, 2]);
  expect(await groups([a, broken, a], 1)).toEqual([1, 1, 1]);
  expect(await groups([], 2)).toEqual([]);
});

test('many small images are run at once, few or large ones and those of an unknown number one by one', () => {
  const description = (size: readonly [number, number]) => ({ task: 'detection', size }) as unknown as ModelDescription;
  expect(mostAtOnce(description([320, 320]), 200)).toBe(8);
  expect(mostAtOnce(description([640, 640]), 200)).toBe(2);
  expect(mostAtOnce(description([800, 1333]), 200)).toBe(1);
  expect(mostAtOnce(description([320, 320]), 15)).toBe(1);
  expect(mostAtOnce(description([320, 320]), undefined)).toBe(1);
});
