import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { normalise } from '../../src/data/likeness/thumbnail.js';
import { FinetuneError } from '../../src/errors.js';
import { chooseDiverse } from '../../src/labelling/chooseDiverse.js';
import { rankPhotos } from '../../src/labelling/rankPhotos.js';
import { classifierDoubt, detectorDoubt } from '../../src/labelling/uncertainty.js';
import type { OpenedModel } from '../../src/predict/openModel.js';
import { randomStream } from '../../src/random.js';

test('a detector is unsure of scores near its threshold, and of more of them more', () => {
  const of = (...scores: number[]) =>
    detectorDoubt(
      scores.map((score) => ({ category: 'cat', score })),
      0.4,
    );
  expect(of(0.42).value).toBeGreaterThan(of(0.55).value);
  expect(of(0.42, 0.3).value).toBeGreaterThan(of(0.42).value);
  expect(of(0.42).value).toBeGreaterThan(of(0.95, 0.05).value);
  expect(of(0.42, 0.41, 0.4, 0.3).reason).toBe('near the threshold of 0.40: cat 0.40, cat 0.41, cat 0.42 and 1 more');
  expect(of(0.95).reason).toBe('every object is clear');
  expect(of(0.01).reason).toBe('nothing is found');
});

test('the doubt of a classifier is the entropy of all its classes', () => {
  const of = (classes: number, ...probabilities: number[]) =>
    classifierDoubt(
      probabilities.map((probability, i) => ({ category: `c${i}`, probability })),
      classes,
    );
  expect(of(2, 0.5, 0.5).value).toBeCloseTo(1);
  expect(of(10, 0.1, 0.1).value).toBeCloseTo(1); // the other eight have 0.1 each, too
  expect(of(3, 0.9, 0.05, 0.05).value).toBeLessThan(of(3, 0.5, 0.4, 0.1).value);
  expect(of(2, 0.6, 0.4).reason).toBe('c0 0.60 or c1 0.40');
});

test('near-duplicates do not fill the top: the second of them comes after different photos', () => {
  const stream = randomStream(7, 'thumbnails');
  const noise = () => Array.from({ length: 256 }, () => stream.uniform(0, 255));
  const first = noise();
  const candidates = [
    { file: 'a', uncertainty: 0.9, thumbnail: normalise(first) },
    { file: 'a again', uncertainty: 0.89, thumbnail: normalise(first.map((value) => value * 0.9 + 3)) },
    { file: 'b', uncertainty: 0.5, thumbnail: normalise(noise()) },
    { file: 'c', uncertainty: 0.6, thumbnail: normalise(noise()) },
    { file: 'one colour', uncertainty: 0.3, thumbnail: undefined },
  ];
  const order = chooseDiverse(candidates);
  expect(order.map(({ index }) => candidates[index]!.file)).toEqual(['a', 'c', 'b', 'one colour', 'a again']);
  expect(order.at(-1)).toMatchObject({ value: expect.closeTo(0, 3), like: { index: 0 } });
  // Behind the images that are chosen one by one, the others follow in the order of their values.
  expect(chooseDiverse(candidates, 1).map(({ index }) => candidates[index]!.file)).toEqual([
    'a',
    'c',
    'b',
    'one colour',
    'a again',
  ]);
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'next-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns for each file what the table has for its name. */
function fakeModel(task: OpenedModel['task'], table: Readonly<Record<string, readonly object[]>>): OpenedModel {
  const fake = {
    task,
    description: { categories: [{ name: 'cat' }, { name: 'dog' }] },
    async *predictAll(files: readonly string[]) {
      for (const file of await Promise.resolve(files)) {
        const predictions = table[file.replace(/.*[\\/]|\.png$/g, '')];
        yield predictions
          ? { width: 32, height: 32, predictions }
          : { error: new FinetuneError({ code: 'E_IMAGE_DECODE', message: 'broken' }) };
      }
    },
  };
  return fake as unknown as OpenedModel;
}

test('photos come with reasons, which name the photo before that looks alike; broken ones are counted', async () => {
  const noise = randomStream(3, 'photo');
  const pixels = Buffer.from(Array.from({ length: 32 * 32 * 3 }, () => noise.integer(0, 256)));
  const photo = sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } });
  for (const name of ['one', 'copy'])
    await photo
      .clone()
      .png()
      .toFile(join(folder, `${name}.png`));
  const cat = (score: number) => [{ category: 'cat', categoryId: 1, score, box: [0, 0, 9, 9] }];
  const files = ['copy', 'broken', 'one'].map((name) => join(folder, `${name}.png`));
  const model = fakeModel('detection', { one: cat(0.5), copy: cat(0.45) });
  const { photos, unreadable } = await rankPhotos(files, model, { threshold: 0.5 });
  expect(unreadable).toBe(1);
  expect(photos.map(({ reason }) => reason)).toEqual([
    'near the threshold of 0.50: cat 0.50',
    'near the threshold of 0.50: cat 0.45; looks like one.png',
  ]);
  await expect(rankPhotos(files, fakeModel('text', {}), { threshold: 0.5 })).rejects.toMatchObject({
    code: 'E_SUSPECTS',
  });
});
