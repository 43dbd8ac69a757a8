import { describe, expect, test } from '@jest/globals';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeOverlap, findOverlaps } from '../../src/data/overlap.js';
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
    expect(await findOverlaps([train, val])).toEqual([{ part: 'val', other: 'train', images: 1, of: 3 }]);
    expect(await findOverlaps([train, all])).toEqual([{ part: 'val', other: 'train', images: 4, of: 6 }]);
  });

  test('each part is compared with those before it, and twice the same image within a part is none', async () => {
    const own = part('val', { b: 'own', c: 'own' });
    expect(await findOverlaps([train, own])).toEqual([]);
    const test = { name: 'test', annotations: [...own.annotations, { file: join(dir, 'missing') }] };
    const [overlap, ...more] = await findOverlaps([train, own, test]);
    expect(more).toEqual([]);
    expect(describeOverlap(overlap!)).toBe('2 of the 2 images of test are also in val');
  });
});
