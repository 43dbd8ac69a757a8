import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { bucketOf, bucketSizes, bucketUse } from '../../src/data/pipeline/buckets.js';
import { frameImage, shorterSideScale } from '../../src/data/image/frame.js';
import { planBatches } from '../../src/data/pipeline/planBatches.js';

const side = fc.integer({ min: 20, max: 2000 });
const image = fc.record({ width: side, height: side });
const range = fc
  .record({ min: fc.integer({ min: 32, max: 500 }), more: fc.integer({ min: 0, max: 500 }), buckets: fc.integer({ min: 1, max: 9 }) })
  .map(({ min, more, buckets }) => ({ min, max: min + more, buckets })); // prettier-ignore

describe('the shapes of batches', () => {
  test.each([
    [1, [[512, 512]]],
    [2, [[320, 512], [512, 320]]],
    [3, [[320, 512], [512, 320], [320, 320]]],
    [4, [[320, 512], [512, 320], [320, 448], [448, 320]]],
    [6, [[320, 512], [512, 320], [320, 480], [480, 320], [320, 448], [448, 320]]],
  ])('%i between 320 and 512', (buckets, sizes) => {
    expect(bucketSizes({ min: 320, max: 512, buckets }, 32)).toEqual(sizes);
  }); // prettier-ignore

  test('are few, multiples of the stride, the largest first, and hold every image at its full size', () => {
    fc.assert(
      fc.property(range, image, (limits, extent) => {
        const sizes = bucketSizes(limits, 32);
        expect(sizes.length).toBeLessThanOrEqual(limits.buckets);
        expect(new Set(sizes.map(String)).size).toBe(sizes.length);
        expect(sizes.flat().every((pixels) => pixels % 32 === 0)).toBe(true);
        expect(sizes[0]![0] * sizes[0]![1]).toBe(Math.max(...sizes.map(([h, w]) => h * w)));
        const { target } = frameImage(extent, { size: bucketOf(extent, sizes, limits), resize: 'shorterSide', limits });
        const scale = shorterSideScale(extent, limits);
        expect(Math.abs(target.width - Math.max(extent.width * scale, 1))).toBeLessThanOrEqual(0.51);
        expect(Math.abs(target.height - Math.max(extent.height * scale, 1))).toBeLessThanOrEqual(0.51);
        expect([target.left, target.top]).toEqual([0, 0]);
      }),
    );
  });

  test("sizes are torchvision's: shorter side to min, longer at most max", () => {
    // GeneralizedRCNNTransform(min_size=320, max_size=512): 640x480 → 426x320, 1000x300 → 512x153; it rounds down.
    const limits = { min: 320, max: 512 };
    const sizeOf = (width: number, height: number) => {
      const { target } = frameImage({ width, height }, { size: [512, 512], resize: 'shorterSide', limits });
      return [target.width, target.height];
    };
    expect([sizeOf(640, 480), sizeOf(480, 640), sizeOf(1000, 300), sizeOf(320, 320)]).toEqual([[427, 320], [320, 427], [512, 154], [320, 320]]); // prettier-ignore
  });

  test('an image goes where it fills most', () => {
    fc.assert(
      fc.property(range, image, (limits, extent) => {
        const sizes = bucketSizes(limits, 32);
        const [height, width] = bucketOf(extent, sizes, limits);
        const scale = shorterSideScale(extent, limits);
        const holds = sizes.filter(
          ([h, w]) => h >= Math.round(extent.height * scale) && w >= Math.round(extent.width * scale),
        );
        expect(height * width).toBe(Math.min(...holds.map(([h, w]) => h * w)));
      }),
    );
  });
});

test('what the shapes are filled with: every image once, by what it covers', () => {
  const limits = { min: 320, max: 512 };
  const images = [{ width: 512, height: 320 }, { width: 1024, height: 640 }, { width: 100, height: 160 }, { width: 512, height: 160 }];
  expect(bucketUse(images, [[320, 512], [512, 320], [320, 320]], limits)).toEqual([
    { size: [320, 512], images: 3, padding: expect.closeTo(1 - 2.5 / 3, 9) },
    { size: [512, 320], images: 1, padding: expect.closeTo(0, 9) },
    { size: [320, 320], images: 0, padding: NaN },
  ]);
}); // prettier-ignore

describe('the batches of an epoch', () => {
  const images = fc.array(image, { maxLength: 60 });
  const batch = fc.integer({ min: 1, max: 7 });

  test('with one shape are the images in their order', () => {
    fc.assert(
      fc.property(images, batch, fc.boolean(), (extents, count, dropLast) => {
        const planned = planBatches(extents, { size: [64, 64], batch: count, dropLast });
        const length = dropLast ? extents.length - (extents.length % count) : extents.length;
        expect(planned.flatMap(({ places }) => places)).toEqual(Array.from({ length }, (_, i) => i));
        expect(planned.slice(0, -1).every(({ places }) => places.length === count)).toBe(true);
      }),
    );
  });

  test('with several have each image once, in its own shape where nothing is dropped', () => {
    fc.assert(
      fc.property(images, range, batch, (extents, limits, count) => {
        const buckets = bucketSizes(limits, 32);
        const planned = planBatches(extents, { size: buckets[0]!, buckets, limits, batch: count });
        expect(planned.flatMap(({ places }) => places).sort((a, b) => a - b)).toEqual([...extents.keys()]);
        for (const { places, size } of planned)
          for (const place of places) expect(bucketOf(extents[place]!, buckets, limits)).toEqual(size);
      }),
    );
  });

  test('with several are as many full ones as with one shape, whatever the images', () => {
    fc.assert(
      fc.property(images, range, batch, (extents, limits, count) => {
        const buckets = bucketSizes(limits, 32);
        const planned = planBatches(extents, { size: buckets[0]!, buckets, limits, batch: count, dropLast: true });
        expect(planned.length).toBe(Math.floor(extents.length / count));
        expect(planned.every(({ places, size }) => places.length === count && buckets.includes(size))).toBe(true);
        const places = planned.flatMap((one) => one.places);
        expect(new Set(places).size).toBe(places.length);
      }),
    );
  });
});
