import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { randomStream } from '../../src/random.js';
import { resizeImage } from '../../src/runtime/resize.js';

const kernels = { bilinear: 'linear', bicubic: 'cubic' } as const;

/** Levels of 255 by which a value may differ from that of sharp. */
const TOLERANCE = 3;

test.each([
  ['bilinear', 64, 48, 32, 32],
  ['bilinear', 100, 75, 60, 60],
  ['bilinear', 100, 70, 19, 13],
  ['bilinear', 192, 108, 31, 33],
  ['bilinear', 20, 16, 45, 45],
  ['bilinear', 40, 80, 60, 60],
  ['bilinear', 40, 40, 40, 20],
  ['bicubic', 100, 75, 60, 60],
  ['bicubic', 192, 108, 31, 33],
  ['bicubic', 40, 30, 50, 20],
] as const)('%s from %dx%d to %dx%d has the pixels of sharp', async (method, width, height, toWidth, toHeight) => {
  const random = randomStream(1, `${width}`);
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  const expected = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(toWidth, toHeight, { fit: 'fill', kernel: kernels[method], fastShrinkOnLoad: false })
    .raw()
    .toBuffer();
  const found = resizeImage({ data, width, height }, toWidth, toHeight, method).data;
  expect(found).toHaveLength(expected.length);
  const off = Array.from(found, (value, i) => Math.abs(value - expected[i]!));
  expect(Math.max(...off)).toBeLessThanOrEqual(TOLERANCE);
  expect(off.reduce((sum, one) => sum + one, 0) / off.length).toBeLessThan(0.7);
});
