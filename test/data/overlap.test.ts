import { describe, expect, test } from '@jest/globals';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeOverlap, findOverlaps } from '../../src/data/overlap.js';
import { photo } from './photo.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
mkdirSync(join(dir, 'a'));

/** Writes files of these contents, and returns them as a part. */
function part(name: string, contents: Readonly<Record<string, string>>) {
  for (const [file, content] of Object.entries(contents)) writeFileSync(join(dir, file), content);
  return { name, annotations: Object.keys(contents).map((file) => ({ file: join(dir, file) })) };
}

describe('images that parts share', () => {
  const long = 'x'.repeat(2 ** 16);
  const train = part('train', { 'a/1': 'one', 'a/2': 'two', 'a/3': `${long}3`, 'a/4': 'four' });

  test('the same files, links to them and copies count; files of the same size or the same beginning do not', async () => {
    const val = part('val', { 'a/5': 'one', 'a/6': 'six', 'a/7': `${long}7` });
    symlinkSync(join(dir, 'a', '2'), join(dir, 'link'));
    linkSync(join(dir, 'a', '4'), join(dir, 'hard'));
    const others = ['link', 'hard', 'a/../a/1'].map((name) => ({ file: join(dir, name) }));
    const all = { ...val, annotations: [...val.annotations, ...others] };
    expect(await findOverlaps([train, val])).toMatchObject([
      { part: 'val', other: 'train', images: 1, of: 3, pairs: [{ reason: 'same file' }] },
    ]);
    expect(await findOverlaps([train, all])).toMatchObject([{ part: 'val', other: 'train', images: 4, of: 6 }]);
  });

  test('each part is compared with those before it, and twice the same image within a part is none', async () => {
    const own = part('val', { b: 'own', c: 'own' });
    expect(await findOverlaps([train, own])).toEqual([]);
    const test = { name: 'test', annotations: [...own.annotations, { file: join(dir, 'missing') }] };
    const [overlap, ...more] = await findOverlaps([train, own, test]);
    expect(more).toEqual([]);
    expect(describeOverlap(overlap!)).toBe('2 of the 2 images of test are also in val');
  });

  test('a copy of an image that was saved anew, and a copy by its name, count with the pair', async () => {
    const pattern = await photo(1);
    const [png, jpeg, other] = ['p.png', 'p.jpg', 'q.png'].map((name) => join(dir, name)) as [string, string, string];
    await pattern.clone().png().toFile(png);
    await pattern.clone().resize(80).modulate({ brightness: 1.2 }).jpeg({ quality: 50 }).toFile(jpeg);
    await (await photo(2)).png().toFile(other);
    const own = part('train', { 'x_jpg.rf.0123456789abcdef.jpg': 'no image' });
    const val = part('val', { 'x_jpg.rf.fedcba9876543210.jpg': 'none either' });
    const first = { name: 'train', annotations: [{ file: png }, ...own.annotations] };
    const second = { name: 'val', annotations: [{ file: jpeg }, { file: other }, ...val.annotations] };
    const [overlap] = await findOverlaps([first, second]);
    expect(overlap).toMatchObject({ images: 2, of: 3 });
    expect(overlap!.pairs).toEqual([
      { file: jpeg, other: png, reason: 'same picture' },
      { file: val.annotations[0]!.file, other: own.annotations[0]!.file, reason: 'copy by its name' },
    ]);
    expect(describeOverlap(overlap!)).toBe(
      '2 of the 3 images of val are also in train, or resemble images there (p.jpg and p.png: same picture)',
    );
  });
});
