import { expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { planWholeImage, type WholeImageAugment } from '../../src/data/pipeline/augment/augmentWhole.js';
import { frameImage } from '../../src/data/image/frame.js';
import { drawBeta, mixBatch } from '../../src/data/pipeline/augment/mix.js';
import { drawRandAugment } from '../../src/data/pipeline/augment/randAugment.js';
import type { ClassIndex, Picture, WholeImageSample } from '../../src/data/sample.js';
import { randomStream } from '../../src/random.js';

const none: WholeImageAugment = {
  kind: 'wholeImage',
  cropArea: false,
  flip: 0,
  colour: 0,
  randAugment: false,
  cutout: 0,
  mixup: 0,
  cutmix: 0,
};
const extent = fc.record({ width: fc.integer({ min: 1, max: 900 }), height: fc.integer({ min: 1, max: 900 }) });

/** A picture of one value, as a sample of a class. */
const plain = (label: number, value: number, side = 20): WholeImageSample => ({
  kind: 'wholeImage',
  imageId: label,
  file: `${label}.jpg`,
  picture: { data: new Uint8Array(side * side * 3).fill(value), width: side, height: side },
  boxes: new Float32Array(0) as WholeImageSample['boxes'],
  classes: [],
  ignore: [],
  label: label as ClassIndex,
  flipped: false,
  originalWidth: side,
  originalHeight: side,
  placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
});

test('a random crop is inside the image, and of the wanted area wherever its aspect fits', () => {
  fc.assert(
    fc.property(extent, fc.nat(), ({ width, height }, seed) => {
      const { patch } = planWholeImage(
        { width, height },
        { ...none, cropArea: [0.3, 0.6] },
        randomStream(seed, 'crop'),
      );
      expect(patch!.left).toBeGreaterThanOrEqual(-1e-9);
      expect(patch!.top).toBeGreaterThanOrEqual(-1e-9);
      expect(patch!.left + patch!.width).toBeLessThanOrEqual(width + 1e-6);
      expect(patch!.top + patch!.height).toBeLessThanOrEqual(height + 1e-6);
      const aspect = patch!.width / patch!.height;
      expect(aspect).toBeGreaterThan(0.7499);
      expect(aspect).toBeLessThan(1.3334);
      if (Math.max(width / height, height / width) < 1.2) {
        const area = (patch!.width * patch!.height) / (width * height);
        expect(area).toBeGreaterThan(0.2999);
        expect(area).toBeLessThan(0.6001);
      }
    }),
  );
});

test('the middle of evaluation: the shorter side to 256, 224 of it, in the middle', () => {
  const wide = frameImage({ width: 512, height: 256 }, { size: [224, 224], resize: 'crop', cropFraction: 0.875 });
  expect(wide).toMatchObject({
    region: { left: 144, top: 16, width: 224, height: 224 },
    target: { width: 224, height: 224 },
  });
  const high = frameImage({ width: 100, height: 300 }, { size: [50, 50], resize: 'crop' });
  expect(high.region).toEqual({ left: 0, top: 100, width: 100, height: 100 });
});

test('Cutout covers its share, CutMix the share that it says', () => {
  const holes = Array.from({ length: 200 }, (_, seed) => {
    const { retouch } = planWholeImage({ width: 20, height: 20 }, { ...none, cutout: 0.5 }, randomStream(seed, 'hole'));
    const { data } = retouch!(plain(0, 9).picture);
    return data.filter((value) => value !== 9).length / data.length;
  });
  expect(Math.max(...holes)).toBeCloseTo(0.25, 5); // a hole of 10 × 10, where none of it is outside
  expect(Math.min(...holes)).toBeGreaterThan(0.05);

  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const batch = [plain(0, 10), plain(1, 20), plain(2, 30)];
      const mixed = mixBatch(batch, { mixup: 0, cutmix: 1 }, randomStream(seed, 'mix'));
      for (const [i, { picture, mixed: added, label }] of mixed.entries()) {
        const own = picture.data.filter((value) => value === 10 * (i + 1)).length / picture.data.length;
        expect(label).toBe(i);
        expect(added!.label).toBe(2 - i);
        expect(i === 1 ? 1 : own + added!.share).toBeCloseTo(1, 6); // the middle one is mixed with itself
      }
    }),
  );
});

test('Mixup blends pixels and classes in one proportion, and the inputs stay as they were', () => {
  const batch = [plain(0, 0), plain(1, 200)];
  const [first] = mixBatch(batch, { mixup: 0.4, cutmix: 0 }, randomStream(3, 'mix'));
  expect(first!.picture.data[0]).toBeCloseTo(200 * first!.mixed!.share, -0.5);
  expect(batch[0]!.picture.data[0]).toBe(0);
  const again = mixBatch(batch, { mixup: 0.4, cutmix: 0 }, randomStream(3, 'mix'));
  expect(again[0]).toEqual(first);
});

test.each([0.2, 1, 4])('Beta(α, α) of %d has mean ½ and variance 1/(8α + 4)', (alpha) => {
  const random = randomStream(1, 'beta');
  const drawn = Array.from({ length: 20_000 }, () => drawBeta(alpha, random));
  const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.015);
  expect(Math.abs(variance - 1 / (8 * alpha + 4))).toBeLessThan(0.006);
});

test('every operation of RandAugment keeps size and range, and none touches the picture it was given', () => {
  const random = randomStream(5, 'operations');
  const picture: Picture = { data: Uint8Array.from({ length: 12 * 9 * 3 }, () => random.integer(0, 256)), width: 12, height: 9 }; // prettier-ignore
  const before = picture.data.slice();
  for (const operation of drawRandAugment({ operations: 300, magnitude: 10 }, random)) {
    const { data, width, height } = operation(picture);
    expect([data.length, width, height]).toEqual([before.length, 12, 9]);
  }
  expect(picture.data).toEqual(before);
});
