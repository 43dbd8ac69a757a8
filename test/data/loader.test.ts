import { beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { openCoco } from '../../src/data/formats/coco.js';
import { countBatches, loadBatches, type Batch, type LoadOptions } from '../../src/data/pipeline/loader.js';
import type { ClassIndex, Dataset } from '../../src/data/sample.js';
import { xyxy } from '../../src/geometry/box.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
const images = 11;
const everything = {
  kind: 'boxes' as const,
  ...{ flip: 0.5, photometric: true, expand: 0.5, iouCrop: true, scale: [0.5, 2] as const, blur: 0.3 },
  ...{ mosaic: 0.3, mixup: 0.3, copyPaste: 0.3, cutout: 0.3, strength: { from: 1, to: 0.5 } },
};

/** Images 0…10, each of one shade of its own, with one object; `broken` ones hold no image. */
async function makeDataset(
  name: string,
  broken: readonly number[] = [],
  size = { width: 48, height: 40 },
): Promise<Dataset> {
  const root = join(dir, name);
  await mkdir(root, { recursive: true });
  for (let i = 0; i < images; i++) {
    const shade = 20 * i + 10;
    const picture = sharp({
      create: { width: 48, height: 40, channels: 3, background: { r: shade, g: shade, b: shade } },
    });
    if (broken.includes(i)) writeFileSync(join(root, `${i}.png`), 'no image');
    else await picture.png().toFile(join(root, `${i}.png`));
  }
  const rows = Array.from({ length: images }, (_, i) => i);
  const annotations = join(root, 'instances.json');
  writeFileSync(
    annotations,
    JSON.stringify({
      images: rows.map((i) => ({ id: i, file_name: `${i}.png`, ...size })),
      categories: [{ id: 1, name: 'thing' }],
      annotations: rows.map((i) => ({ id: i + 1, image_id: i, category_id: 1, bbox: [5 + i, 6, 20, 15] })),
    }),
  );
  return openCoco({ annotations, images: root, name });
}
async function load(dataset: Dataset, options: Partial<LoadOptions<number>> = {}) {
  const batches: Batch<number>[] = [];
  for await (const batch of loadBatches<number>(dataset, { batch: 4, size: [32, 36], seed: 5, ...options }))
    batches.push(batch);
  return batches;
}
const essence = (batches: readonly Batch<number>[]) =>
  batches.map(({ samples, indices }) => ({
    indices,
    samples: samples.map(({ imageId, boxes, picture, placement }) => ({
      imageId,
      boxes: [...boxes],
      placement,
      pixels: Buffer.from(picture.data).toString('base64'),
    })),
  }));

let sound: Dataset;
beforeAll(async () => {
  sound = await makeDataset('sound');
});

describe('loadBatches', () => {
  test('gives every image once, in order, at the size asked for', async () => {
    const batches = await load(sound);
    expect(batches.map(({ indices }) => indices)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10],
    ]);
    const samples = batches.flatMap((batch) => batch.samples);
    samples.forEach(({ picture, imageId, boxes: placed, originalWidth, originalHeight }, i) => {
      expect(imageId).toBe(i);
      expect(picture).toMatchObject({ width: 36, height: 32 });
      expect(picture.data).toHaveLength(36 * 32 * 3);
      expect(new Set(picture.data)).toEqual(new Set([20 * i + 10]));
      expect([originalWidth, originalHeight]).toEqual([48, 40]);
      const wanted = [((5 + i) * 36) / 48, (6 * 32) / 40, ((25 + i) * 36) / 48, (21 * 32) / 40];
      wanted.forEach((value, k) => expect(placed[k]).toBeCloseTo(value, 4));
    });
  });

  test('ignores an object that is less than a pixel wide at the size of the input', async () => {
    const [first] = sound.annotations;
    const thin = {
      ...first!,
      boxes: xyxy([10, 10, 11, 30, 10, 10, 12, 30]),
      classes: [0, 0] as ClassIndex[],
      ignore: [false, false],
    };
    const [batch] = await load({ ...sound, annotations: [thin] });
    expect(batch!.samples[0]!.ignore).toEqual([true, false]); // 0.75 and 1.5 pixels
    expect(batch!.samples[0]!.boxes).toHaveLength(8);
  });

  test('never gives an object without area, and none that counts of less than a pixel', async () => {
    const [first] = sound.annotations;
    const shown = { ...everything, cutout: 0 }; // hidden objects would be ignored, too
    const cell = fc.integer({ min: 0, max: 94 }).map((x) => x / 2);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        async (places, epoch) => {
          const annotation = {
            ...first!,
            boxes: xyxy(
              places.flatMap(([x, y]) => [x, (y * 40) / 48, Math.min(48, x + 1.5), Math.min(40, (y * 40) / 48 + 1.5)]),
            ),
            classes: places.map(() => 0 as ClassIndex),
            ignore: places.map(() => false),
          };
          for (const { samples } of await load({ ...sound, annotations: [annotation] }, { augment: shown, epoch }))
            for (const { boxes, ignore, classes } of samples) {
              expect([classes.length, ignore.length]).toEqual([boxes.length / 4, boxes.length / 4]);
              ignore.forEach((ignored, i) => {
                const side = Math.min(boxes[4 * i + 2]! - boxes[4 * i]!, boxes[4 * i + 3]! - boxes[4 * i + 1]!);
                expect(side).toBeGreaterThan(0);
                if (Math.abs(side - 1) > 1e-4) expect(ignored).toBe(side < 1); // a mosaic rounds at its offset
              });
            }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('is the same however much is prefetched, another in each epoch and for each seed', async () => {
    const options = { shuffle: true, augment: everything };
    const one = essence(await load(sound, { ...options, prefetch: 1 }));
    expect(essence(await load(sound, { ...options, prefetch: 5 }))).toEqual(one);
    expect(essence(await load(sound, { ...options, epoch: 1 }))).not.toEqual(one);
    expect(essence(await load(sound, { ...options, seed: 6 }))).not.toEqual(one);
    expect(one.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(
      Array.from({ length: images }, (_, i) => i),
    );
  });

  test('goes on in the middle of an epoch as if it had never stopped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20),
        fc.nat(3),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (epoch, startAt, batch, dropLast) => {
          const options = { shuffle: true, augment: everything, epoch, batch, dropLast };
          const whole = essence(await load(sound, options));
          expect(whole).toHaveLength(countBatches(images, batch, dropLast));
          expect(essence(await load(sound, { ...options, startAt }))).toEqual(whole.slice(startAt));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('hands each sample to encode', async () => {
    const batches = await load(sound, { encode: ({ imageId }) => Number(imageId) * 2 });
    expect(batches.flatMap(({ encoded }) => encoded)).toEqual(Array.from({ length: images }, (_, i) => 2 * i));
  });

  test('keeps no more than `prefetch` batches in the making', async () => {
    let made = 0;
    let used = 0;
    for await (const { samples } of loadBatches(sound, {
      batch: 2,
      size: [32, 32],
      prefetch: 2,
      encode: () => made++,
    })) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      used += samples.length;
      expect(made).toBeLessThanOrEqual(used + 2 * 2);
      if (used <= 6) expect(made).toBe(used + 2 * 2); // batches are made while the consumer is busy
    }
    expect(made).toBe(images);
  });

  test('a broken image is an error that names it, at its turn', async () => {
    const dataset = await makeDataset('broken', [6]);
    const seen: number[] = [];
    const run = async () => {
      for await (const { indices } of loadBatches(dataset, { batch: 4, size: [32, 32] })) seen.push(...indices);
    };
    await expect(run()).rejects.toMatchObject({
      code: 'E_IMAGE_DECODE',
      problems: [{ where: { file: join(dir, 'broken/6.png') } }],
    });
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('a broken image is left out, or replaced where batches must be full, and reported', async () => {
    const dataset = await makeDataset('dropped', [6, 7]);
    const dropped: string[] = [];
    const onDrop = (reason: string, file: string) => dropped.push(`${reason} ${file.slice(-5)}`);
    const options = { brokenImages: 'drop' as const, onDrop };
    expect((await load(dataset, options)).map(({ indices }) => indices)).toEqual([
      [0, 1, 2, 3],
      [4, 5],
      [8, 9, 10],
    ]);
    expect(dropped.sort()).toEqual(['image cannot be decoded 6.png', 'image cannot be decoded 7.png']);
    const full = await load(dataset, { ...options, dropLast: true });
    expect(full.map(({ indices }) => indices)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 8, 8],
    ]);
    const none = await makeDataset(
      'none',
      Array.from({ length: images }, (_, i) => i),
    );
    await expect(load(none, { ...options, dropLast: true })).rejects.toMatchObject({ code: 'E_DATA_EMPTY' });
    expect((await load(none, options)).map(({ indices }) => indices)).toEqual([[], [], []]);
  });

  test('an image of another size than its annotation says is an error, or counted', async () => {
    const turned = await makeDataset('turned', [], { width: 40, height: 48 });
    await expect(load(turned)).rejects.toMatchObject({
      code: 'E_IMAGE_SIZE',
      problems: [{ fix: expect.stringContaining('EXIF') as unknown }],
    });
    const reasons = new Set<string>();
    await load(turned, { brokenImages: 'drop', onDrop: (reason) => reasons.add(reason) });
    expect([...reasons]).toEqual(['image has another size than its annotation says']);
  });

  test('an image that is replaced by one of another size between two epochs is an error', async () => {
    const replaced = await makeDataset('replaced');
    const options = { size: [32, 36], seed: 5, shuffle: true, augment: { kind: 'boxes', crop: 1 } } as const;
    await load(replaced, { ...options, epoch: 0 });
    const { file } = replaced.annotations[3]!;
    await sharp({ create: { width: 96, height: 80, channels: 3, background: '#888' } })
      .png()
      .toFile(file);
    await expect(load(replaced, { ...options, epoch: 1 })).rejects.toMatchObject({
      code: 'E_IMAGE_SIZE',
      problems: [{ where: { file } }],
    });
  });

  test('stops on the signal and when the consumer has enough', async () => {
    const controller = new AbortController();
    const run = async () => {
      for await (const { indices } of loadBatches(sound, { batch: 2, size: [32, 32], signal: controller.signal }))
        if (indices.includes(2)) controller.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow('enough');
    for await (const batch of loadBatches(sound, { batch: 2, size: [32, 32] })) {
      expect(batch.indices).toEqual([0, 1]);
      break;
    }
  });
});
