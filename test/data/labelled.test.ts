import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import sharp, { type OutputInfo } from 'sharp';
import { openDatasets } from '../../src/data/dataset.js';
import { parseCsv } from '../../src/data/formats/table/parseCsv.js';
import type { LabelledData } from '../../src/data/formats/labelledFormat.js';
import { ofKind, type Annotation } from '../../src/data/sample.js';
import { loadSample } from '../../src/data/pipeline/loadSample.js';
import { temporaryFolder } from './temporaryFolder.js';

const root = temporaryFolder();

/** A grey image at each path of a new folder. */
async function folder(name: string, files: readonly string[]): Promise<string> {
  for (const file of files) await paint(join(root, name, file));
  return join(root, name);
}

async function paint(file: string): Promise<OutputInfo> {
  await mkdir(dirname(file), { recursive: true });
  const picture = sharp({ create: { width: 24, height: 16, channels: 3, background: '#888' } });
  return picture.toFormat(/\.png$/i.test(file) ? 'png' : /\.webp$/i.test(file) ? 'webp' : 'jpeg').toFile(file);
}

const open = (data: Partial<LabelledData> & { readonly root: string }) =>
  openDatasets({ format: 'imageFolder', splitSeed: 1, ...data } as LabelledData<'imageFolder'>);
const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}.jpg`); // prettier-ignore

const labelOf = (annotation: Annotation): number => ofKind(annotation, 'wholeImage').label;

describe('a folder for each class', () => {
  test('odd names, endings, nested folders and links are read; what is no image is counted', async () => {
    const dir = await folder('odd', [
      'train/Ä b/1.JPG', 'train/Ä b/deep er/2.png', "train/it's/3.webp", 'train/10/4.jpeg', 'train/9/5.jpg', 'train/.hidden/6.jpg', 'val/9/a b.jpg',
    ]); // prettier-ignore
    await writeFile(join(dir, 'train/9/note.pdf'), '%PDF-1.7');
    await writeFile(join(dir, 'train/9/.DS_Store'), '');
    await symlink(join(dir, 'train/9'), join(dir, 'train/linked'));
    const { train, val, categories } = await open({ root: dir });
    expect(categories.map(({ name }) => name)).toEqual(['10', '9', "it's", 'linked', 'Ä b']);
    expect(train.annotations.map(({ imageId }) => imageId)).toContain('Ä b/deep er/2.png');
    expect(train.annotations).toHaveLength(6);
    expect(train.dropped).toEqual({ 'file that is no image (.pdf)': 2 }); // the file, and a link to it
    expect(val.annotations).toMatchObject([{ label: 1, width: 24, height: 16 }]);
  });

  test('two folders of one name, with accents composed in two ways, are one class', async () => {
    const dir = await folder('accents', ['train/\u00e9/1.jpg', 'train/e\u0301/2.jpg', 'train/b/3.jpg', 'val/b/4.jpg']);
    const { train, categories } = await open({ root: dir });
    expect([categories.length, train.annotations.length]).toEqual([2, 3]);
    expect(train.dropped).toEqual({ 'class folder whose name differs in its bytes alone, joined with the other': 1 });
  });

  test('without a folder for validation, a share of each class is held out, the same every time', async () => {
    const dir = await folder('single', [...numbered('cat/', 10), ...numbered('dog/', 5), 'one/0.jpg']);
    const [first, second] = [await open({ root: dir }), await open({ root: dir })];
    expect(first.val.annotations).toEqual(second.val.annotations);
    const labels = first.val.annotations.map(labelOf);
    expect(labels).toEqual([0, 0, 1]); // a class with one image keeps it for training
    const ids = [...first.train.annotations, ...first.val.annotations].map(({ imageId }) => imageId);
    expect(new Set(ids).size).toBe(16);
    expect(first.val.name).toBe('20 % of images');
    const other = await open({ root: dir, val: 0.5, splitSeed: 2 });
    expect(other.val.annotations).toHaveLength(8);
  });

  test('`valid` stands for `val`, in any case', async () => {
    const dir = await folder('valid', ['Train/a/1.jpg', 'Train/b/1.jpg', 'Valid/a/2.jpg']);
    expect((await open({ root: dir })).val.annotations).toHaveLength(1);
  });

  test.each([
    ['a named part is not there', ['train/a/1.jpg', 'train/b/1.jpg'], { val: 'vall' }, 'E_FOLDER_PART'],
    ['images without class folders', ['train/1.jpg', 'val/2.jpg'], {}, 'E_FOLDER_CLASSES'],
    ['one class alone', ['train/a/1.jpg', 'val/a/2.jpg'], {}, 'E_DATA_CLASSES'],
    ['a class of validation alone', ['train/a/1.jpg', 'train/b/1.jpg', 'val/A/2.jpg'], {}, 'E_DATA_CLASSES'],
    [
      'a class without images',
      ['train/a/1.jpg', 'train/b/1.jpg', 'train/c/d/e.txt', 'val/a/2.jpg'],
      {},
      'E_FOLDER_EMPTY',
    ],
    [
      'an unknown category',
      ['train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg'],
      { categories: ['a', 'c'] },
      'E_DATA_CATEGORY',
    ],
  ] as const)('%s', async (name, files, options, code) => {
    const dir = await folder(`wrong ${name}`, files);
    await expect(open({ root: dir, ...options })).rejects.toMatchObject({
      code,
      problems: [expect.objectContaining({ where: expect.objectContaining({ file: expect.stringContaining(dir) }), fix: expect.any(String) })],
    }); // prettier-ignore
  });

  test('categories choose and order; images of others are counted', async () => {
    const dir = await folder('chosen', [
      'train/a/1.jpg',
      'train/b/1.jpg',
      'train/c/1.jpg',
      'val/a/1.jpg',
      'val/d/1.jpg',
    ]);
    const { train, val } = await open({ root: dir, categories: ['c', 'a'] });
    expect(train.annotations.map(labelOf)).toEqual([1, 0]);
    expect([train.dropped, val.dropped]).toEqual([
      { 'image of a class that is not learned': 1 },
      { 'image of a class that is not learned': 1 },
    ]);
  });

  test("ImageNet's classes are known by synset and by name, and need not all be there", async () => {
    const dir = await folder('imagenet', ['train/n01443537/1.jpg', 'train/tench/1.jpg', 'val/n01440764/1.jpg']);
    const { train, val, categories } = await open({ root: dir, categories: 'imagenet-1k' });
    expect(categories).toHaveLength(1000);
    expect(train.annotations.map(labelOf)).toEqual([1, 0]);
    expect(val.annotations.map(labelOf)).toEqual([0]);
  });

  test('broken images are all named at once, or counted', async () => {
    const dir = await folder('broken', ['train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg']);
    await writeFile(join(dir, 'train/a/empty.jpg'), '');
    await writeFile(join(dir, 'train/b/text.png'), 'not an image');
    await expect(open({ root: dir })).rejects.toMatchObject({
      problems: [{ code: 'E_IMAGE_DECODE' }, { code: 'E_IMAGE_DECODE' }],
    });
    const { train } = await open({ root: dir, brokenImages: 'drop' });
    expect(train.annotations).toHaveLength(2);
    expect(train.dropped).toEqual({ 'image cannot be decoded': 2 });
  });

  test('the middle is cut out upright: EXIF, grey, CMYK and alpha become RGB of the input', async () => {
    const dir = await folder('kinds', ['train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg']);
    const base = sharp({ create: { width: 40, height: 20, channels: 3, background: '#f00' } });
    const file = (name: string) => join(dir, 'train/a', name);
    await base.clone().withMetadata({ orientation: 6 }).jpeg().toFile(file('turned.jpg'));
    await base.clone().greyscale().png().toFile(file('grey.png'));
    await base.clone().toColourspace('cmyk').jpeg().toFile(file('cmyk.jpg'));
    await base.clone().ensureAlpha(0.5).webp().toFile(file('alpha.webp'));
    const { train } = await open({ root: dir });
    const sizes = new Map(train.annotations.map(({ imageId, width, height }) => [imageId, [width, height]]));
    expect(sizes.get('a/turned.jpg')).toEqual([20, 40]);
    for (const annotation of train.annotations) {
      const { picture } = await loadSample(annotation, { size: [14, 14], resize: 'crop', cropFraction: 0.875 });
      expect([annotation.imageId, picture.data.length]).toEqual([annotation.imageId, 14 * 14 * 3]);
    }
  });
});

describe('a table of images', () => {
  async function table(name: string, text: string): Promise<string> {
    const dir = await folder(name, ['x/1.jpg', 'x/2.jpg', 'x/a, b.jpg']);
    await writeFile(join(dir, 'train.csv'), text);
    return dir;
  }

  test('separators, quotes, a byte order mark and other heads are understood', async () => {
    const dir = await table(
      'good',
      '\uFEFFid;Class;Filename\r\n1;"big ""cat""";x/1.jpg\r\n\r\n2;dog;"x/a, b.jpg"\r\n3;dog;x/2.jpg\r\n',
    );
    const { train, val, categories } = await open({ format: 'csv', root: dir });
    expect(categories.map(({ name }) => name)).toEqual(['big "cat"', 'dog']);
    expect([train.annotations.length, val.annotations.length]).toEqual([2, 1]);
  });

  test('every wrong row is named with its line', async () => {
    const dir = await table('bad', 'file,label\nx/1.jpg,a\nx/1.jpg,b\n,a\nx/2.jpg\nx/none.jpg,b\nx/2.jpg,b\n');
    await expect(open({ format: 'csv', root: dir, val: 'train.csv' })).rejects.toMatchObject({
      // Both parts are this table, and each problem of it is told once.
      problems: [
        ...[3, 4, 5].map((line) => ({ code: 'E_CSV_ROW', where: { line } })),
        { code: 'E_IMAGE_MISSING', where: { line: 6 } },
      ],
    });
  });

  test('backslashes and prefixes are read, and two names of one image are one image', async () => {
    const dir = await table('paths', 'file,label\nimages\\x\\1.jpg,a\nx/2.jpg,b\n./x/2.jpg,b\nx/a%2C%20b.jpg,a\n');
    const { train, val } = await open({ format: 'csv', root: dir });
    expect(train.annotations.length + val.annotations.length).toBe(3);
    expect(train.dropped).toMatchObject({
      'image found although its name is not its path': 2,
      'image listed twice': 1,
    });
    await writeFile(join(dir, 'train.csv'), 'file,label\nx/1.jpg,a\nx\\1.jpg,b\n');
    await expect(open({ format: 'csv', root: dir })).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
  });

  test('a table without heads, and one that is not there', async () => {
    const dir = await table('headless', 'x/1.jpg,a\n');
    await expect(open({ format: 'csv', root: dir })).rejects.toMatchObject({ code: 'E_CSV_HEAD' });
    await rename(join(dir, 'train.csv'), join(dir, 'labels.csv'));
    await expect(open({ format: 'csv', root: dir })).rejects.toMatchObject({
      code: 'E_CSV_FILE',
      message: expect.stringContaining('labels.csv'),
    });
  });

  test('parseCsv', () => {
    expect(parseCsv('a,b\n"1\n2",3')).toEqual([{ cells: ['a', 'b'], line: 1 }, { cells: ['1\n2', '3'], line: 2 }]); // prettier-ignore
  });
});
