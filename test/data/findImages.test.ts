import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from '../fastCheck.js';
import { createFindings } from '../../src/data/findings.js';
import { findImages } from '../../src/data/image/findImages.js';
import { reportImages } from '../../src/data/image/reportImages.js';
import { temporaryFolder } from './temporaryFolder.js';

const root = join(temporaryFolder(), 'data');
const folder = join(root, 'images');
const places = { folder, others: [join(root, 'labels'), root] };
const find = async (name: string) => (await findImages([name], places)).get(name)!;

beforeAll(() => {
  const files = [
    'a.jpg',
    'IMG.JPG',
    'été 1.jpg',
    'sub/b.jpg',
    'sub/same.jpg',
    'other/same.jpg',
    '50%25.jpg',
    '50%.jpg',
  ];
  for (const file of [...files.map((name) => `images/${name}`), 'labels/beside.jpg', '../away.jpg']) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
});

describe('findImages', () => {
  test.each([
    ['a.jpg', 'images/a.jpg'],
    ['./sub/../a.jpg', 'images/a.jpg'],
    ['sub\\b.jpg', 'images/sub/b.jpg'],
    ['images\\sub\\b.jpg', 'images/sub/b.jpg'],
    ['C:\\Users\\me\\images\\a.jpg', 'images/a.jpg'],
    ['/home/someone/data/images/a.jpg', 'images/a.jpg'],
    ['e\u0301te\u0301%201.jpg', 'images/été 1.jpg'],
    ['e\u0301te\u0301 1.jpg', 'images/été 1.jpg'],
    ['img.jpg', 'images/IMG.JPG'],
    ['images/a.jpg', 'images/a.jpg'],
    ['train2017/a.jpg', 'images/a.jpg'],
    ['../../elsewhere/sub/b.jpg', 'images/sub/b.jpg'],
    ['beside.jpg', 'labels/beside.jpg'],
    ['/data/upload/3/0a1b2c3d-a.jpg', 'images/a.jpg'],
    ['/data/local-files/?d=images/sub/b.jpg', 'images/sub/b.jpg'],
    ['https://example.org/x/%C3%A9t%C3%A9%201.jpg?alt=media#1', 'images/été 1.jpg'],
    [' a.jpg ', 'images/a.jpg'],
    ['https://example.org/x/%C3%A9t%C3%A9%201.jpg', 'images/été 1.jpg'],
    ['50%25.jpg', 'images/50%25.jpg'], // a file of exactly that name comes first
    ['50%.jpg', 'images/50%.jpg'],
    ['none.jpg', undefined],
    ['a.png', undefined],
    ['a.jpg/b.jpg', undefined],
    ['a.jpg\0', undefined],
  ])('%j', async (name, expected) => {
    const { file } = await find(name);
    expect(file).toBe(expected === undefined ? undefined : join(root, expected));
  });

  test('an absolute path that exists is that file', async () => {
    const name = join(root, '../away.jpg');
    expect(await find(name)).toEqual({ file: name, changes: ['an absolute path'] });
  });

  test('no file is taken where two are possible', async () => {
    mkdirSync(join(root, 'labels/sub'), { recursive: true });
    writeFileSync(join(root, 'labels/sub/c.jpg'), '');
    writeFileSync(join(root, 'labels/../images/sub/c.jpg'), '');
    expect((await find('sub/c.jpg')).file).toBe(join(folder, 'sub/c.jpg'));
    const { file, ...rest } = await find('sub\\c.jpg');
    expect([file, JSON.stringify(rest)]).toEqual([undefined, expect.stringContaining('may be')]);
  });

  test('two names never get one file', async () => {
    const found = await findImages(['a.jpg', 'left/a.jpg', 'x/IMG.JPG', 'y/IMG.JPG'], places);
    expect([...found.values()].map(({ file }) => file)).toEqual([
      join(folder, 'a.jpg'),
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('any text is a name: nothing but a file or no file comes of it', async () => {
    const pieces = fc.array(
      fc.constantFrom('..', '/', '\\', '%', '%2e', '%2f', 'C:', '?d=', 'http://', 'a', '.jpg', '\0', ' '),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          pieces.map((all) => all.join('')),
        ),
        async (name) => {
          await find(name);
        },
      ),
      { numRuns: 200 },
    );
    const long = `${'x/'.repeat(20_000)}a.jpg`;
    expect((await find(long)).file).toBe(join(folder, 'a.jpg'));
  });
});

describe('reportImages', () => {
  const report = async (names: readonly string[], brokenImages: 'error' | 'drop' = 'error') => {
    const findings = createFindings();
    const found = await findImages(names, places);
    await reportImages(found, { folder, root, brokenImages, whereOf: () => ({ file: 'x.json' }) }, findings);
    return findings;
  };
  const thousand = (name: (i: number) => string) => Array.from({ length: 1000 }, (_, i) => name(i));

  test.each([
    ['a prefix', thousand((i) => `part_1/${i}.jpg`), 'begin with "part_1/"'],
    ['backslashes', thousand((i) => `p\\${i}.jpg`), 'backslashes'],
    ['percent signs', thousand((i) => `p%20${i}.jpg`), 'percent-encoded'],
    ['absolute paths', thousand((i) => `D:\\p\\${i}.jpg`), 'absolute paths'],
    ['URLs', thousand((i) => `http://a.org/${i}.jpg`), 'URLs'],
    ['nothing in common', thousand((i) => `${i}.jpg`), 'check the folder'],
  ])('1,000 missing images are one problem: %s', async (_, names, cause) => {
    const problems = (await report([...names, 'a.jpg'])).problems();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'E_IMAGE_MISSING', fix: expect.stringContaining(cause) as unknown });
    expect(problems[0]!.message).toContain('1000 of 1001 images do not exist');
    expect((await report([...names, 'a.jpg'], 'drop')).dropped).toEqual({ 'image missing': 1000 });
  });

  test('counts names that are not paths, and images outside of the data set', async () => {
    const { dropped } = await report(['images\\a.jpg', 'x/IMG.JPG', join(root, '../away.jpg'), 'sub/b.jpg']);
    expect(dropped).toEqual({
      'image found although its name is not its path': 3,
      'image outside of data.root': 1,
    });
  });

  test('images in the folder that the recipe names are not outside, wherever it is', async () => {
    const findings = createFindings();
    const found = await findImages(['a.jpg', '../../away.jpg'], places);
    const report = { folder, root: join(root, 'labels'), brokenImages: 'error', whereOf: () => ({}) } as const;
    await reportImages(found, report, findings);
    expect(findings.dropped).toEqual({ 'image outside of data.root': 1 });
  });

  test('says which files a name may be', async () => {
    const [problem] = (await report(['x/IMG.JPG', 'y/IMG.JPG'])).problems();
    expect(problem).toMatchObject({
      code: 'E_IMAGE_AMBIGUOUS',
      message: expect.stringContaining('both lead to') as unknown,
    });
  });
});
