import { describe, expect, test } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { xyxy } from '../../src/geometry/box.js';
import { randomStream } from '../../src/random.js';
import { openDatasets } from '../../src/data/dataset.js';
import { bucketsOf, TABLES } from '../../src/data/likeness/buckets.js';
import { findLike, linkedGroups } from '../../src/data/likeness/findLike.js';
import { originOf } from '../../src/data/likeness/originOf.js';
import { normalise } from '../../src/data/likeness/thumbnail.js';
import type { BoxAnnotation, ClassIndex, Dataset, PartName } from '../../src/data/sample.js';
import { drawParts, type Group } from '../../src/data/split/drawParts.js';
import { splitDataset, type SplitOptions } from '../../src/data/split/split.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { photo } from './photo.js';
import { temporaryFolder } from './temporaryFolder.js';

const root = temporaryFolder();

const image = (name: string, ...classes: number[]): BoxAnnotation => ({
  kind: 'boxes',
  imageId: name,
  file: join(root, name),
  width: 9,
  height: 9,
  boxes: xyxy(classes.flatMap(() => [0, 0, 4, 4])),
  classes: classes as ClassIndex[],
  ignore: classes.map(() => false),
});
const dataset = (annotations: readonly BoxAnnotation[]): Dataset => ({
  name: 'train',
  categories: [],
  annotations,
  dropped: { box: 1 },
  toCoco: () => ({
    images: annotations.map(({ imageId }) => ({ id: imageId, width: 9, height: 9, file_name: '' })),
    categories: [],
    annotations: [],
  }),
});
const usual: SplitOptions = { val: 0.2, test: 0.1, by: 'class', seed: 1 };
const namesOf = (part: Dataset | undefined) => part!.annotations.map(({ imageId }) => String(imageId)).sort();
const many = Array.from({ length: 100 }, (_, i) => image(`${i}.jpg`, ...(i < 3 ? [0, 1] : i < 80 ? [0] : [])));

describe('a division', () => {
  test('has the wanted shares, every class in every part, and does not depend on the order of the images', async () => {
    const { parts, placed } = await splitDataset(dataset(many), usual, { root });
    expect(Object.entries(parts).map(([part, { annotations }]) => [part, annotations.length])).toEqual([
      ['train', 70],
      ['val', 20],
      ['test', 10],
    ]);
    for (const { annotations, toCoco } of Object.values(parts)) {
      expect(annotations.some(({ classes }) => classes.includes(1 as ClassIndex))).toBe(true);
      expect(toCoco().images).toHaveLength(annotations.length);
    }
    expect([parts.train!.dropped, parts.val!.dropped]).toEqual([{ box: 1 }, {}]);
    const shuffled = await splitDataset(dataset(randomStream(3, 'order').shuffle([...many])), usual, { root });
    expect(shuffled.placed).toEqual(placed);
    expect((await splitDataset(dataset(many), { ...usual, seed: 2 }, { root })).placed).not.toEqual(placed);
  });

  test('moves few images when one is added, and none where a run has kept it', async () => {
    const before = await splitDataset(dataset(many), usual, { root });
    const more = dataset([...many, image('new.jpg', 0)]);
    const after = await splitDataset(more, usual, { root });
    const moved = Object.entries(before.placed).filter(([name, part]) => after.placed[name] !== part);
    expect(moved.length).toBeLessThan(10);
    const kept = await splitDataset(more, usual, { root, kept: before.placed });
    expect(kept.placed).toEqual({ ...before.placed, 'new.jpg': 'train' });
    expect(kept.remarks[0]).toContain('1 of 101 images are new');
  });

  test('leaves images that are drawn, outside of the folder, in the training part', async () => {
    const drawn = { ...image('x'), file: '/elsewhere/1.png', imageId: 'drawn' };
    const mixed = { ...dataset([...many, drawn]), repeat: new Float64Array(101).fill(2) };
    const { parts } = await splitDataset(mixed, usual, { root });
    expect(namesOf(parts.train)).toContain('drawn');
    expect(parts.train!.repeat).toHaveLength(71);
    expect(parts.train!.repeat!.at(-1)).toBeCloseTo(1.4); // as often for each real image as before
    expect(parts.val!.repeat).toBeUndefined();
  });
});

test('groups stay together, and a class in as many groups as there are parts is in each', () => {
  const groups: Group[] = Array.from({ length: 12 }, (_, i) => ({
    name: String(i),
    size: 5,
    classes: [[i % 4], [], [], [], []],
  }));
  const parts = drawParts(groups, { train: 0.7, val: 0.2, test: 0.1 }, 7);
  for (const classIndex of [0, 1, 2, 3])
    expect(new Set(parts.filter((_, i) => i % 4 === classIndex))).toEqual(new Set<PartName>(['train', 'val', 'test']));
});

test.each([
  ['a/IMG_0012.jpg', { series: 'IMG_', number: 12, isVideo: false }],
  ['clip1_frame_0012.png', { series: 'clip1_frame_', number: 12, isVideo: true }],
  [
    'walk_mp4-7_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg',
    { copyOf: 'walk_mp4-7_jpg', series: 'walk_mp4-', number: 7, isVideo: true },
  ],
  ['cat_jpg.rf.AbCdEfGh12.jpg', { copyOf: 'cat_jpg', isVideo: false }],
  ['video.jpg', { isVideo: false }],
])('the origin of %s', (name, origin) => expect(originOf(name)).toEqual(origin));

test('copies, frames and pictures that look the same are of one group', async () => {
  const names = ['a_jpg.rf.00112233445566.jpg', 'a_jpg.rf.66554433221100.jpg', 'b1.png', 'b2.png', 'c9.png', 'd.png'];
  const files = names.map((name) => join(root, 'like', name));
  await mkdir(join(root, 'like'));
  const seeds = [1, 2, 3, 4, 5, 5];
  for (const [i, file] of files.entries()) await (await photo(seeds[i]!)).toFile(file);
  const links = await findLike(files.map((file) => ({ file })));
  expect(links.map(({ reason }) => reason)).toEqual(['copy by its name', 'same picture']);
  expect(linkedGroups(6, links)).toEqual([0, 0, 2, 3, 4, 4]);
  expect(
    await findLike(
      files.map((file) => ({ file })),
      { pictures: false },
    ),
  ).toHaveLength(1);
});

test('two pictures that look the same share a bucket, and most others do not', () => {
  const random = randomStream(5, 'pictures');
  const grey = Array.from({ length: 200 }, () => Array.from({ length: 256 }, () => random.integer(0, 256)));
  const noisy = grey.map((values) => values.map((value) => value + random.uniform(-30, 30))); // correlation 0.97
  const pairs = new Map<string, number>();
  const all = [...grey, ...noisy].map(normalise);
  const tables = [...bucketsOf([undefined, ...all])];
  expect(tables).toHaveLength(TABLES);
  for (const members of tables.flat())
    for (const [k, first] of members.entries())
      for (const second of members.slice(k + 1)) {
        expect(first).toBeLessThan(second);
        pairs.set(`${first} ${second}`, 1);
      }
  expect(grey.every((_, i) => pairs.has(`${i + 1} ${i + 201}`))).toBe(true);
  expect(pairs.size).toBeLessThan(300); // of 79,800
});

test('near-duplicates of a folder stay in one part; one video of all images is cut into blocks, which is told', async () => {
  const picture = await photo(6);
  const paint = async (name: string, seed?: number): Promise<void> => {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await (seed === undefined ? picture.clone() : await photo(seed)).toFile(join(root, name));
  };
  const own = Array.from({ length: 20 }, (_, i) => i);
  for (const i of own) await paint(`classes/${i % 2 ? 'cat' : 'dog'}/${i}.jpg`, i < 4 ? undefined : i + 10);
  const data = {
    format: 'imageFolder' as const,
    splitSeed: 1,
    split: { val: 0.5, test: 0, by: 'group' as const, seed: 1 },
  };
  const { val, divided } = await openDatasets({ ...data, root: join(root, 'classes') });
  const held = namesOf(val).filter((name) => Number(/\d+/.exec(name)![0]) < 4);
  expect([0, 4]).toContain(held.length);
  expect(divided!.remarks).toEqual([]);

  const video = own.map((i) => image(`video/frame_${i}.jpg`, 0));
  const { parts, remarks } = await splitDataset(dataset(video), { ...usual, by: 'group' }, { root });
  expect(parts.val!.annotations.length).toBeGreaterThan(0);
  expect(remarks[0]).toContain('divided in blocks');
});

test.each([
  ['', 'data.val, or data.split'],
  [', split: {val: 0.5, test: 0.5}', 'leaves none to train on'],
  [', split: {}, val: {annotations: v.json, images: v}', '"data.val" has no effect with data.split'],
  [', split: {test: 0.1}, test: {annotations: v.json, images: v}', '"data.test" has no effect with data.split.test'],
])('COCO with the parts%s is refused before anything is read', async (parts, why) => {
  const data = `{format: coco, root: ., train: {annotations: t.json, images: t}${parts}}`;
  await expect(parseRecipe(`task: detection\ndata: ${data}\n`, 'a.yaml')).rejects.toThrow(why);
});
