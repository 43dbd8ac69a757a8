import { expect, test } from '@jest/globals';
import { createFeeds } from '../../src/predict/feeds.js';
import type { View } from '../../src/predict/readImage.js';

const view = (value: number) => ({ pixels: Uint8Array.of(value) }) as unknown as View;

test('places of a batch without an image are 0, also where the array held another batch', async () => {
  const feeds = createFeeds();
  const values = (views: readonly View[]) =>
    feeds.using(views, 4, (pixels) => Promise.resolve({ pixels, now: [...pixels] }));
  const full = await values([1, 2, 3, 4].map(view));
  expect(full.now).toEqual([1, 2, 3, 4]);
  const part = await values([view(5), view(6)]);
  expect(part.now).toEqual([5, 6, 0, 0]);
  expect(part.pixels).toBe(full.pixels);
});

test('arrays in use are not shared, and one whose work failed is not used again', async () => {
  const feeds = createFeeds();
  let first: Float32Array | undefined;
  await expect(
    feeds.using([view(1)], 1, (outer) => {
      first = outer;
      return feeds.using([view(2)], 1, (inner) => {
        expect(inner).not.toBe(outer);
        return Promise.reject(new Error('stopped'));
      });
    }),
  ).rejects.toThrow('stopped');
  const later = await feeds.using([view(3)], 1, (pixels) => Promise.resolve(pixels));
  expect(later).not.toBe(first);
});
