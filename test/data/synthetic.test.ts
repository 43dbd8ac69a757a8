import { beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openSynthetic } from '../../src/data/synthetic/openSynthetic.js';
import { drawScene } from '../../src/data/synthetic/scene.js';
import { randomStream } from '../../src/random.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
const options = { seed: 3, train: 24, val: 6 };
const contents = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name))
    .sort()
    .map((file) => [file.slice(root.length), readFileSync(file).toString('base64')]);

describe('openSynthetic', () => {
  const root = join(dir, 'first');
  beforeAll(async () => {
    await openSynthetic({ ...options, root });
  });

  test('draws COCO folders that open without a finding', async () => {
    const { train, val } = await openSynthetic({ ...options, root });
    expect([train.annotations.length, val.annotations.length]).toEqual([24, 6]);
    expect(train.categories.map(({ id, name }) => `${id} ${name}`)).toEqual([
      '1 fish',
      '2 house',
      '3 star',
      '4 mug',
      '5 tree',
      '6 car',
    ]);
    expect([train.dropped, val.dropped]).toEqual([{}, {}]);
    for (const { file, width, height } of [...train.annotations, ...val.annotations])
      expect(await sharp(file).metadata()).toMatchObject({ width, height, format: 'jpeg', space: 'srgb', channels: 3 });
  });

  test('is the same to the byte from the same seed, and another from another', async () => {
    await openSynthetic({ ...options, root: join(dir, 'second') });
    expect(contents(join(dir, 'second'))).toEqual(contents(root));
    await openSynthetic({ ...options, seed: 4, root: join(dir, 'third') });
    expect(contents(join(dir, 'third'))).not.toEqual(contents(root));
  });

  test('a longer part begins with the images of a shorter one', async () => {
    const { train } = await openSynthetic({ seed: 3, train: 3, val: 1, root: join(dir, 'short') });
    train.annotations.forEach(({ file }, i) =>
      expect(
        readFileSync(file).equals(readFileSync(join(root, `images/train/${String(i).padStart(6, '0')}.jpg`))),
      ).toBe(true),
    );
  });

  test('is found again in the cache folder', async () => {
    const before = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = join(dir, 'cache');
    try {
      const { val } = await openSynthetic({ seed: 9, train: 2, val: 2 });
      expect(val.annotations[0]!.file.startsWith(join(dir, 'cache', 'tfjs-finetune'))).toBe(true);
      writeFileSync(val.annotations[0]!.file, 'touched'); // would be overwritten if it were drawn again
      const again = await openSynthetic({ seed: 9, train: 2, val: 2 });
      expect(readFileSync(again.val.annotations[0]!.file, 'utf8')).toBe('touched');
    } finally {
      if (before === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = before;
    }
  });

  test('leaves nothing behind when stopped, and two at once do not disturb each other', async () => {
    const stopped = join(dir, 'inside', 'stopped');
    await expect(openSynthetic({ ...options, root: stopped, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(existsSync(join(dir, 'inside'))).toBe(false);
    const both = join(dir, 'both');
    await Promise.all([openSynthetic({ ...options, root: both }), openSynthetic({ ...options, root: both })]);
    expect(contents(both)).toEqual(contents(root));
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('does not write into a folder that holds something else', async () => {
    await expect(openSynthetic({ ...options, train: 25, root })).rejects.toMatchObject({ code: 'E_SYNTHETIC_ROOT' });
    const other = join(dir, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.txt'), 'precious');
    await expect(openSynthetic({ ...options, root: other })).rejects.toMatchObject({ code: 'E_SYNTHETIC_ROOT' });
    expect(existsSync(join(other, 'thesis.txt'))).toBe(true);
    const empty = join(dir, 'empty');
    mkdirSync(empty);
    expect((await openSynthetic({ ...options, root: empty })).train.annotations).toHaveLength(24);
  });
});

describe('drawScene', () => {
  const scenes = Array.from({ length: 150 }, (_, i) => drawScene(randomStream(11, `scene ${i}`)));

  test('boxes are what librsvg paints of each object by itself, to a pixel and a half', async () => {
    let compared = 0;
    for (const { svg, width, height, objects } of scenes.slice(0, 25)) {
      const groups = [...svg.matchAll(/<g id="object\d+">.*?<\/g>/g)].map(([group]) => group);
      expect(groups).toHaveLength(objects.length);
      for (const [i, group] of groups.entries()) {
        const alone = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${group}</svg>`;
        const alpha = await sharp(Buffer.from(alone)).ensureAlpha().extractChannel(3).raw().toBuffer();
        const seen = [width, height, 0, 0];
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            if (alpha[y * width + x]! > 10) {
              seen[0] = Math.min(seen[0]!, x);
              seen[1] = Math.min(seen[1]!, y);
              seen[2] = Math.max(seen[2]!, x + 1);
              seen[3] = Math.max(seen[3]!, y + 1);
            }
        objects[i]!.box.forEach((edge, k) => expect(Math.abs(edge - seen[k]!)).toBeLessThanOrEqual(1.5));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(40);
  });

  test('varies classes, sizes, numbers and pictures; some have no object', () => {
    const objects = scenes.flatMap((scene) => scene.objects);
    const classes = ['fish', 'house', 'star', 'mug', 'tree', 'car'];
    for (const name of classes)
      expect(objects.filter(({ category }) => category === name).length).toBeGreaterThan(objects.length / 12);
    const sides = objects.map(({ box: [x1, y1, x2, y2] }) => Math.max(x2 - x1, y2 - y1));
    expect(Math.min(...sides)).toBeLessThan(35);
    expect(Math.max(...sides)).toBeGreaterThan(130);
    expect(scenes.some((scene) => scene.objects.length === 0)).toBe(true);
    expect(scenes.some((scene) => scene.objects.length >= 6)).toBe(true);
    for (const { objects, width, height } of scenes)
      for (const {
        box: [x1, y1, x2, y2],
      } of objects) {
        expect(x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height).toBe(true);
        expect(Math.min(x2 - x1, y2 - y1)).toBeGreaterThan(3);
      }
  });
});
