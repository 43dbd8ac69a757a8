import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { readTiles } from '../../src/predict/readTiles.js';
import type { ModelDescription } from '../../src/tasks/description/description.js';

const [width, height] = [100, 70];
const values = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7 + (i >> 8)) % 256);
const description = {
  task: 'detection',
  size: [32, 32],
  images: { resize: 'stretch', interpolation: 'bilinear' },
} as unknown as ModelDescription;

test.each([
  [
    'a PNG',
    () =>
      sharp(values, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
  ],
  ['pixels', () => Promise.resolve({ data: values, width, height })],
])('tiles of %s have its pixels, and their places in it', async (_, open) => {
  const source = await open();
  const how = { tiling: { size: 32, overlap: 0.25 }, withWhole: true };
  let tiles = 0;
  for await (const { tile, view } of readTiles(source, { width, height }, description, how)) {
    const { originalWidth, originalHeight, placement } = view.origin;
    expect([originalWidth, originalHeight]).toEqual([width, height]);
    if (!tile) {
      expect(placement.scaleX).toBeCloseTo(32 / width);
      continue;
    }
    tiles++;
    expect(placement.scaleX * tile.left + placement.offsetX).toBeCloseTo(0);
    expect(placement.scaleY * tile.top + placement.offsetY).toBeCloseTo(0);
    const rows = Array.from({ length: 32 }, (__, y) => {
      const start = ((tile.top + y) * width + tile.left) * 3;
      return [...values.subarray(start, start + 32 * 3)];
    });
    expect([...view.pixels]).toEqual(rows.flat());
  }
  expect(tiles).toBe(4 * 3);
});
