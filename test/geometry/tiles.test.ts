import { expect, test } from '@jest/globals';
import { cutSidesOf, tilesOf } from '../../src/geometry/tiles.js';
import * as fc from '../fastCheck.js';

test('tiles cover the image, and neighbours overlap by the share at least', () => {
  const side = fc.integer({ min: 1, max: 4000 });
  const cases = fc.tuple(side, side, fc.integer({ min: 32, max: 900 }), fc.constantFrom(0, 0.1, 0.2, 0.5));
  fc.assert(
    fc.property(cases, ([width, height, size, overlap]) => {
      const tiles = tilesOf({ width, height }, { size, overlap });
      for (const [length, start] of [
        [width, 'left'],
        [height, 'top'],
      ] as const) {
        const starts = [...new Set(tiles.map((tile) => tile[start]))].sort((a, b) => a - b);
        expect(starts[0]).toBe(0);
        expect(starts.at(-1)! + size).toBe(Math.max(length, size));
        for (const [i, next] of starts.slice(1).entries())
          expect(starts[i]! + size - next).toBeGreaterThanOrEqual(Math.floor(size * overlap) - 1);
      }
    }),
  );
});

test.each([
  [640, 640, 1],
  [641, 640, 2],
  [1152, 640, 2], // 640 + 512
  [1153, 640, 3],
])('%i × %i pixels are %i tiles of 640', (width, height, count) => {
  expect(tilesOf({ width, height }, { size: 640, overlap: 0.2 })).toHaveLength(count);
});

test('a tile cuts what ends at its edge, unless the image ends there too', () => {
  const tile = { left: 0, top: 100, width: 200, height: 200 };
  const image = { width: 1000, height: 300 };
  expect(cutSidesOf([0, 100, 199, 299], tile, image)).toEqual({ left: false, top: true, right: true, bottom: false });
  expect(cutSidesOf([20, 120, 180, 280], tile, image)).toEqual({
    left: false,
    top: false,
    right: false,
    bottom: false,
  });
});
