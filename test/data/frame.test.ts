import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { frameImage, placeBoxes, placementOf } from '../../src/data/image/frame.js';
import { xyxy } from '../../src/geometry/box.js';

const extent = fc.record({ width: fc.integer({ min: 1, max: 900 }), height: fc.integer({ min: 1, max: 900 }) });
const size = fc.tuple(fc.integer({ min: 32, max: 400 }), fc.integer({ min: 32, max: 400 }));
const resize = fc.constantFrom('stretch' as const, 'letterbox' as const);
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
/** An image and a patch that holds at least one of its pixels' centres, possibly reaching beyond it. */
const patched = fc
  .record({ image: extent, x: fraction, y: fraction, left: fraction, top: fraction, wide: fraction, high: fraction })
  .map(({ image, x, y, left, top, wide, high }) => {
    const width = 1 + wide * 3 * image.width;
    const height = 1 + high * 3 * image.height;
    const column = Math.floor(x * (image.width - 1)) + 0.5;
    const row = Math.floor(y * (image.height - 1)) + 0.5;
    return { image, patch: { left: column - left * width, top: row - top * height, width, height } };
  });

describe('frameImage', () => {
  test('crops inside the image and lands inside the input, in whole pixels', () => {
    fc.assert(
      fc.property(patched, size, resize, fc.boolean(), ({ image, patch }, size, resize, flip) => {
        const { region, target, width, height } = frameImage(image, { size, resize, patch, flip });
        expect([height, width]).toEqual(size);
        for (const [rect, bounds] of [
          [region, image],
          [target, { width, height }],
        ] as const) {
          expect(Object.values(rect).every(Number.isInteger)).toBe(true);
          expect(Math.min(rect.left, rect.top)).toBeGreaterThanOrEqual(0);
          expect(Math.min(rect.width, rect.height)).toBeGreaterThanOrEqual(1);
          expect(rect.left + rect.width).toBeLessThanOrEqual(bounds.width);
          expect(rect.top + rect.height).toBeLessThanOrEqual(bounds.height);
        }
      }),
    );
  });

  test('letterbox keeps proportions to a pixel and centres; stretch fills', () => {
    fc.assert(
      fc.property(extent, size, (image, size) => {
        const { target, width, height } = frameImage(image, { size, resize: 'letterbox' });
        const scale = Math.min(width / image.width, height / image.height);
        expect(Math.abs(target.width - Math.max(1, image.width * scale))).toBeLessThanOrEqual(1);
        expect(Math.abs(target.height - Math.max(1, image.height * scale))).toBeLessThanOrEqual(1);
        expect(Math.abs(width - target.width - 2 * target.left)).toBeLessThanOrEqual(2);
        expect(frameImage(image, { size }).target).toEqual({ left: 0, top: 0, width, height });
      }),
    );
  });

  test('places boxes where placementOf maps their corners, clipped to the image', () => {
    const coordinate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        patched,
        size,
        resize,
        fc.boolean(),
        coordinate,
        coordinate,
        ({ image, patch }, size, resize, flip, u, v) => {
          const frame = frameImage(image, { size, resize, patch, flip });
          const { scaleX, scaleY, offsetX, offsetY } = placementOf(frame);
          const box = xyxy([
            u * image.width * 0.5,
            v * image.height * 0.5,
            image.width * (0.5 + u / 2),
            image.height * (0.5 + v / 2),
          ]);
          const [x1, y1, x2, y2] = placeBoxes(box, frame) as unknown as [number, number, number, number];
          const { left, top, width, height } = frame.target;
          const inX = (x: number) => Math.min(left + width, Math.max(left, x * scaleX + offsetX));
          const inY = (y: number) => Math.min(top + height, Math.max(top, y * scaleY + offsetY));
          const ends = [inX(box[0]!), inX(box[2]!)].sort((a, b) => a - b);
          expect(x1).toBeCloseTo(ends[0]!, 2);
          expect(x2).toBeCloseTo(ends[1]!, 2);
          expect(y1).toBeCloseTo(inY(box[1]!), 2);
          expect(y2).toBeCloseTo(inY(box[3]!), 2);
          expect(x2 >= x1 && y2 >= y1).toBe(true);
        },
      ),
    );
  });
});
