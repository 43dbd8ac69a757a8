import { beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { join } from 'node:path';
import sharp from 'sharp';
import type { BoxAugment } from '../../src/data/pipeline/augment/augment.js';
import { keepsPixels } from '../../src/data/pipeline/augment/kinds.js';
import { ofKind, type Category, type ClassIndex, type Dataset, type Sample } from '../../src/data/sample.js';
import { drawShare, mixSamples } from '../../src/data/pipeline/augment/mixup.js';
import { augmentAt } from '../../src/data/pipeline/augment/strength.js';
import { loadTrainingSample } from '../../src/data/pipeline/trainingSample.js';
import { xyxy } from '../../src/geometry/box.js';
import { randomStream } from '../../src/random.js';
import { temporaryFolder } from './temporaryFolder.js';

type Changes = Omit<BoxAugment, 'kind'>;
const dir = temporaryFolder();
const [width, height] = [96, 80];
/** Each class has a colour, so that a box can be compared with the pixels inside it. */
const colours = [
  [250, 20, 20],
  [20, 250, 20],
  [20, 20, 250],
] as const;
let dataset: Dataset;

/** Five grey images of different sizes with one to three coloured rectangles, apart from each other. */
beforeAll(async () => {
  const annotations = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => {
      const [w, h] = [120 + 30 * i, 150 - 12 * i];
      const data = Buffer.alloc(w * h * 3, 128);
      const classes = Array.from({ length: 1 + (i % 3) }, (_, k) => ((i + k) % 3) as ClassIndex);
      const boxes = classes.flatMap((classIndex, k) => {
        const [x1, y1] = [8 + 38 * k, 10 + 9 * k];
        const [x2, y2] = [x1 + 30, y1 + 40 + 5 * i];
        for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) data.set(colours[classIndex]!, (y * w + x) * 3);
        return [x1, y1, x2, y2];
      });
      const file = join(dir, `${i}.png`);
      await sharp(data, { raw: { width: w, height: h, channels: 3 } })
        .png()
        .toFile(file);
      const extent = { width: w, height: h };
      return {
        kind: 'boxes' as const,
        imageId: i,
        file,
        ...extent,
        boxes: xyxy(boxes),
        classes,
        ignore: classes.map(() => false),
      };
    }),
  );
  const categories = ['red', 'green', 'blue'].map((name, i) => ({ id: i + 1, name })) as unknown as Category[];
  dataset = {
    name: 'rectangles',
    categories,
    annotations,
    dropped: {},
    toCoco: () => ({ images: [], categories: [], annotations: [] }),
  };
});

const load = async (augment: Changes, seed: number, index = seed % 5, resize: 'stretch' | 'letterbox' = 'stretch') => {
  const options = { size: [height, width], resize, augment: { kind: 'boxes', ...augment }, seed } as const;
  return ofKind(await loadTrainingSample(dataset, index, options), 'boxes');
};

/** Share of a box's inner pixels that have the colour of its class, mixed with others by at most `fade`. */
function shareOfOwnColour({ picture, boxes, classes }: Sample, i: number, fade: number): number {
  const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
  let [own, all] = [0, 0];
  for (let y = Math.ceil(y1 + 0.5); y < y2 - 1; y++)
    for (let x = Math.ceil(x1 + 0.5); x < x2 - 1; x++) {
      const at = (y * picture.width + x) * 3;
      const others = [0, 1, 2]
        .filter((channel) => channel !== classes[i])
        .map((channel) => picture.data[at + channel]!);
      if (picture.data[at + classes[i]!]! - Math.max(...others) > fade) own++;
      all++;
    }
  return all === 0 ? 1 : own / all;
}

const seeds = fc.integer({ min: 0, max: 1e6 });
const runs = { numRuns: 100 };

/** Options, the smallest share of a box that must show its object, and how much the colours may fade. */
const cases: readonly (readonly [name: string, augment: Changes, share: number, fade: number])[] = [
  ['scale', { scale: [0.3, 3], flip: 0.5 }, 0.95, 150],
  ['scale, expand, crop', { scale: [0.5, 2], expand: 1, iouCrop: true, flip: 0.5 }, 0.9, 150],
  ['blur', { blur: 1 }, 0.7, 60],
  ['mosaic', { mosaic: 1, flip: 0.5 }, 0.9, 150],
  ['copyPaste', { copyPaste: 1 }, 0.65, 150],
  ['cutout', { cutout: 1 }, 0.4, 150],
  ['mosaic, then copyPaste', { mosaic: 1, copyPaste: 1, flip: 0.5 }, 0.65, 150],
];

describe.each(cases)('%s', (_, augment, share, fade) => {
  test('leaves every box inside the input and on its own object', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom('stretch' as const, 'letterbox' as const), async (seed, resize) => {
        const sample = await load(augment, seed, seed % 5, resize);
        expect(sample.picture).toMatchObject({ width, height });
        expect(sample.picture.data.length).toBe(width * height * 3);
        expect([sample.classes.length, sample.ignore.length]).toEqual(Array(2).fill(sample.boxes.length / 4));
        for (const [i, ignored] of sample.ignore.entries()) {
          const [x1, y1, x2, y2] = sample.boxes.subarray(4 * i, 4 * i + 4) as unknown as [
            number,
            number,
            number,
            number,
          ];
          expect(x1 >= 0 && y1 >= 0 && x1 < x2 && y1 < y2 && x2 <= width && y2 <= height).toBe(true);
          if (!ignored) expect(shareOfOwnColour(sample, i, fade)).toBeGreaterThanOrEqual(share);
        }
      }),
      runs,
    );
  });

  test('gives the same bytes for the same seed, and others for another', async () => {
    const [one, again, other] = [await load(augment, 7), await load(augment, 7), await load(augment, 8, 2)];
    expect(one).toEqual(again);
    expect(Buffer.compare(one.picture.data, other.picture.data)).not.toBe(0);
  });
});

test('mixup blends the pixels of two samples by the share, and has the boxes of both', async () => {
  const [one, other] = [await load({}, 1), await load({}, 2)];
  const mixed = mixSamples(one, other, 0.25);
  expect(mixed.classes).toEqual([...one.classes, ...other.classes]);
  expect([...mixed.boxes]).toEqual([...one.boxes, ...other.boxes]);
  for (const [i, value] of mixed.picture.data.entries())
    expect(Math.abs(value - (0.75 * one.picture.data[i]! + 0.25 * other.picture.data[i]!))).toBeLessThanOrEqual(1);
  const shares = Array.from({ length: 200 }, (_, i) => drawShare(randomStream(i, 'share')));
  expect(Math.min(...shares)).toBeGreaterThan(0.05);
  expect(shares.reduce((a, b) => a + b) / 200).toBeCloseTo(0.5, 1);
});

test('copyPaste adds up to three objects and takes none away; mosaic has objects of several images', async () => {
  const seedsOf = Array.from({ length: 30 }, (_, seed) => seed);
  const added = (await Promise.all(seedsOf.map((seed) => load({ copyPaste: 1 }, seed)))).map(
    ({ classes, imageId }) => classes.length - dataset.annotations[imageId as number]!.classes.length,
  );
  expect(Math.min(...added)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...added)).toBe(3);
  const mosaics = await Promise.all(seedsOf.map((seed) => load({ mosaic: 1 }, seed)));
  expect(Math.max(...mosaics.map(({ classes }) => classes.length))).toBeGreaterThan(3);
});

describe('augmentAt', () => {
  const full: BoxAugment = {
    kind: 'boxes',
    ...{ flip: 0.5, photometric: true, expand: 0.5, iouCrop: true, scale: [0.5, 2], blur: 0.2 },
    ...{ mosaic: 0.8, mixup: 0.4, copyPaste: 0.6, cutout: 0.2, closeMosaic: 2 },
  };

  test('at full strength changes nothing; at none leaves the flip alone', () => {
    expect({ ...augmentAt(full, 0, 10), closeMosaic: 2 }).toEqual({ ...full, photometric: 1 });
    const none = augmentAt({ ...full, strength: { from: 0, to: 1 } }, 0, 10);
    expect(none).toMatchObject({ flip: 0.5, photometric: 0, iouCrop: 0, mosaic: 0, scale: [1, 1] });
    expect(keepsPixels({ ...none, scale: false })).toBe(true);
  });

  test('goes straight from one strength to the other', () => {
    const ramp: BoxAugment = { ...full, strength: { from: 0.2, to: 1 } };
    for (const [epoch, strength] of [
      [0, 0.2],
      [2, 0.6],
      [4, 1],
    ] as const)
      // prettier-ignore
      expect(augmentAt(ramp, epoch, 5).copyPaste).toBeCloseTo(0.6 * strength, 9);
  });

  test('closes mosaic and mixup for the last epochs only', () => {
    expect([7, 8, 9].map((epoch) => [augmentAt(full, epoch, 10).mosaic, augmentAt(full, epoch, 10).mixup])).toEqual([
      [0.8, 0.4],
      [0, 0],
      [0, 0],
    ]);
  });
});
