import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { coverageOf } from '../../../src/data/synthetic/text/coverage.js';
import { loadFaces } from '../../../src/data/synthetic/text/fonts.js';
import { generateText } from '../../../src/data/synthetic/text/generateText.js';
import { listPhotos } from '../../../src/data/synthetic/text/photos.js';
import { drawTextScene } from '../../../src/data/synthetic/text/textScene.js';
import { randomStream } from '../../../src/random.js';
import { textPreview } from '../../../src/report/textPreview.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'text-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('coverage is the exact area: a triangle, a thin sliver, a hole', () => {
  const areaOf = (...contours: number[][]): number =>
    coverageOf(
      contours.map((points) => Float32Array.from(points)),
      [0, 0, 40, 40],
      1,
    ).data.reduce((sum, value) => sum + value, 0);
  expect(areaOf([3.3, 2.1, 30.7, 9.4, 12.2, 33.9])).toBeCloseTo(
    Math.abs((30.7 - 3.3) * (33.9 - 2.1) - (9.4 - 2.1) * (12.2 - 3.3)) / 2,
    3,
  );
  expect(areaOf([1.5, 5.25, 38.5, 5.25, 38.5, 5.5, 1.5, 5.5])).toBeCloseTo(37 * 0.25, 3);
  expect(areaOf([2, 2, 20, 2, 20, 20, 2, 20], [5.5, 5.5, 5.5, 10.5, 10.5, 10.5, 10.5, 5.5])).toBeCloseTo(324 - 25, 3);
});

test('a scene depends on its stream alone, every quad is inside, clockwise, and has its character', async () => {
  const faces = await loadFaces();
  const scenes = Array.from({ length: 6 }, (_, i) =>
    drawTextScene(randomStream(3, `scene/${i}`), faces, { width: 320, height: 320 }),
  );
  const again = drawTextScene(randomStream(3, 'scene/2'), faces, { width: 320, height: 320 });
  expect(again.words).toEqual(scenes[2]!.words);
  expect(hashOf(Uint8Array.from(again.canvas.data))).toBe(hashOf(Uint8Array.from(scenes[2]!.canvas.data)));
  const words = scenes.flatMap((scene) => scene.words);
  expect(words.length).toBeGreaterThan(12);
  for (const { text, characters, outline } of words) {
    expect(characters).toHaveLength(text.length);
    for (const quad of [...characters, outline]) {
      expect(Math.min(...quad)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...quad)).toBeLessThanOrEqual(320);
    }
    for (const quad of characters) expect(signedArea(quad)).toBeGreaterThan(0);
  }
});

const signedArea = (points: readonly number[]): number =>
  points.reduce((sum, _, i) => {
    if (i % 2 === 1) return sum;
    const [nx, ny] = [points[(i + 2) % points.length]!, points[(i + 3) % points.length]!];
    return sum + (points[i]! * ny - nx * points[i + 1]!) / 2;
  }, 0);

test('the ink of a character lies in its quad', async () => {
  const faces = (await loadFaces()).filter(({ name }) => name.startsWith('arimo-latin'));
  const photo = { data: new Uint8ClampedArray(256 * 256 * 3).fill(255), width: 256, height: 256 };
  const { words, canvas } = drawTextScene(randomStream(11, 'plain'), faces, { width: 256, height: 256, photo });
  expect(words.length).toBeGreaterThan(0);
  for (const { characters } of words) {
    const [x1, y1, x2, y2] = [0, 1, 0, 1].map((axis, i) => {
      const values = characters.flat().filter((_, k) => k % 2 === axis);
      return i < 2 ? Math.floor(Math.min(...values)) : Math.ceil(Math.max(...values));
    }) as [number, number, number, number];
    const levels: number[] = [];
    for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) levels.push(canvas.data[(y * 256 + x) * 3 + 1]!);
    expect(Math.max(...levels) - Math.min(...levels)).toBeGreaterThan(20);
  }
});

test('a set is written with its annotations; a longer one begins alike; photos are written on; the page shows it', async () => {
  const draw = (name: string, count: number, photos: readonly string[] = []) =>
    generateText({ root: join(root, name), part: 'train', seed: 5, side: 128, photos }, count);
  const [short, long] = [await draw('short', 2), await draw('long', 3)];
  expect(long.slice(0, 2)).toEqual(short);
  const file = (name: string) => join(root, name, 'images', 'train', '000001.jpg');
  expect(hashOf(await readFile(file('short')))).toBe(hashOf(await readFile(file('long'))));
  expect(JSON.parse(await readFile(join(root, 'short', 'words_train.json'), 'utf8'))).toEqual({ images: short });
  const { width, height } = await sharp(file('short')).metadata();
  expect([width, height]).toEqual([128, 128]);
  const photos = await listPhotos(join(root, 'long'));
  const written = await draw('onPhotos', 3, photos);
  expect(written).toHaveLength(3);
  expect(textPreview(long.map((image) => ({ ...image, file: `images/train/${image.file}` })))).toContain(
    'href="images/train/000002.jpg"',
  );
  await expect(listPhotos(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'E_PHOTOS' });
});
