import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDatasets } from '../../src/data/dataset.js';
import { openVoc } from '../../src/data/formats/voc.js';
import { FinetuneError } from '../../src/errors.js';
import { testOnShared } from './sharedData.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
const object = (name: string, corners: readonly number[], more = '') => `
  <object>
    <name>${name}</name>${more}
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
    <bndbox><xmax>${corners[2]}</xmax><ymax>${corners[3]}</ymax><xmin>${corners[0]}</xmin><ymin>${corners[1]}</ymin></bndbox>
  </object>`;
const annotation = (objects: string, size = '<size><width>40</width><height>30</height><depth>3</depth></size>') =>
  `<?xml version="1.0"?>\n<annotation verified="yes">\n  <folder>elsewhere</folder><filename>other.jpg</filename><path>C:\\x.jpg</path>\n  ${size}${objects}\n</annotation>\n`;

/** A VOC folder with the given annotations; every image is 40×30. */
async function vocFolder(
  name: string,
  files: Record<string, string>,
  splits: Record<string, string>,
  extension = 'jpg',
) {
  const root = join(dir, name);
  for (const folder of ['Annotations', 'ImageSets/Main', 'JPEGImages'])
    mkdirSync(join(root, folder), { recursive: true });
  const image = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#888' } })
    .toFormat(extension === 'png' ? 'png' : 'jpeg')
    .toBuffer();
  for (const [stem, xml] of Object.entries(files)) {
    writeFileSync(join(root, 'Annotations', `${stem}.xml`), xml);
    writeFileSync(join(root, 'JPEGImages', `${stem}.${extension}`), image);
  }
  for (const [split, text] of Object.entries(splits)) writeFileSync(join(root, 'ImageSets/Main', `${split}.txt`), text);
  return root;
}
async function problemsOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FinetuneError);
  return (error as FinetuneError).problems;
}

describe('openVoc', () => {
  test('turns 1-based inclusive corners into edges, difficult objects into ignored ones, and sorts the names', async () => {
    const root = await vocFolder(
      'sound',
      {
        one: annotation(object('dog', [1, 1, 40, 30]) + object('cat', [5, 6, 10, 12], '<difficult>1</difficult>')),
        two: annotation(''),
        three: annotation(object('ant', [2.5, 3, 8, 9])),
      },
      { train: 'one\r\ntwo  -1\n\n', val: 'three 1\n' },
      'jpeg',
    );
    const { annotations, categories, dropped, toCoco } = await openVoc({ root, split: 'train' });
    expect(categories).toEqual([
      { id: 1, name: 'cat' },
      { id: 2, name: 'dog' },
    ]);
    expect(annotations.map(({ imageId }) => imageId)).toEqual(['one', 'two']);
    expect(annotations[0]).toMatchObject({
      classes: [1, 0],
      ignore: [false, true],
      width: 40,
      height: 30,
      file: join(root, 'JPEGImages/one.jpeg'),
    });
    expect(Array.from(annotations[0]!.boxes)).toEqual([0, 0, 40, 30, 4, 5, 10, 12]);
    expect(dropped).toEqual({});
    expect(toCoco()).toMatchObject({
      images: [{ id: 'one', file_name: 'one.jpeg', width: 40, height: 30 }, { id: 'two' }],
      annotations: [
        { id: 1, image_id: 'one', category_id: 2, bbox: [0, 0, 40, 30], area: 1200, iscrowd: 0, ignore: 0 },
        { id: 2, image_id: 'one', category_id: 1, bbox: [4, 5, 6, 7], area: 42, iscrowd: 0, ignore: 1 },
      ],
    });

    const pair = await openDatasets({ format: 'voc', root, train: 'train', val: 'val' });
    for (const part of [pair.train, pair.val])
      expect(part.categories.map(({ name }) => name)).toEqual(['ant', 'cat', 'dog']);
    expect(pair.val.annotations[0]!.classes).toEqual([0]);
    expect((await openVoc({ root, split: 'train', categories: ['dog'] })).dropped).toEqual({
      'object of a category that is not learned': 1,
    });
    await expect(openVoc({ root, split: 'train', categories: ['dgo'] })).rejects.toMatchObject({
      code: 'E_DATA_CATEGORY',
    });
    await expect(openVoc({ root, split: 'test' })).rejects.toMatchObject({
      code: 'E_VOC_SPLIT',
      problems: [{ fix: 'the lists are: train, val' }],
    });
  });

  test('clips and counts boxes that reach over the edge, takes a missing <size> from the image', async () => {
    const root = await vocFolder(
      'edges',
      {
        one: annotation(object('dog', [0, 3, 44, 30])),
        two: annotation(object('dog', [1, 1, 9, 9]), ''),
        three: annotation('', '<size><width>0</width><height>0</height></size>'),
      },
      { train: 'one\ntwo\nthree\ntwo' },
      'png',
    );
    const { annotations, dropped, toCoco } = await openVoc({ root, split: 'train' });
    expect(Array.from(annotations[0]!.boxes)).toEqual([0, 2, 40, 30]);
    expect(toCoco().annotations[0]!.bbox).toEqual([-1, 2, 45, 28]);
    expect(annotations[2]).toMatchObject({ width: 40, height: 30 });
    expect(dropped).toEqual({
      'box clipped to the image': 1,
      "size missing, taken from the image's header": 2,
      'image listed twice': 1,
    });
  });

  test('finds images by stems with spaces and accents, file names and paths, whatever the case of their extension', async () => {
    const stems = ['my photo 1', 'cafe\u0301', 'plain', 'labelled 7'];
    const files = Object.fromEntries(stems.map((stem) => [stem, annotation(object('dog', [1, 1, 9, 9]))]));
    const list = '\ufeffmy photo 1\ncaf\u00e9\nJPEGImages/plain.JPG\nlabelled 7  -1\n';
    const root = await vocFolder('odd names', files, { train: list }, 'JPG');
    const { annotations } = await openVoc({ root, split: 'train' });
    expect(annotations.map(({ imageId }) => String(imageId).normalize())).toEqual([
      'my photo 1',
      'caf\u00e9',
      'plain',
      'labelled 7',
    ]);
  });

  test('refuses boxes of another size, with the likely cause', async () => {
    const size = (width: number, height: number) => `<size><width>${width}</width><height>${height}</height></size>`;
    const box = object('dog', [1, 1, 9, 9]);
    const files = {
      a: annotation(box, size(30, 40)),
      b: annotation(box, size(20, 15)),
      c: annotation(box, size(50, 30)),
      d: annotation(box, size(40, 30)),
    };
    const root = await vocFolder('sizes', files, { train: 'a\nb\nc\nd' });
    const problems = await problemsOf(openVoc({ root, split: 'train' }));
    expect(problems.map(({ code, where }) => [code, where?.file?.at(-5)])).toEqual([
      ['E_IMAGE_SIZE', 'a'],
      ['E_IMAGE_SIZE', 'b'],
      ['E_IMAGE_SIZE', 'c'],
    ]);
    expect(problems.map(({ fix }) => fix)).toEqual([
      expect.stringContaining('width and height exchanged'),
      expect.stringContaining('2 times the size'),
      expect.stringContaining('another image'),
    ]);
    const { annotations, dropped } = await openVoc({ root, split: 'train', brokenImages: 'drop' });
    expect([annotations.length, dropped]).toEqual([1, { 'image has another size than its annotation says': 3 }]);

    await sharp({ create: { width: 30, height: 40, channels: 3, background: '#888' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(join(root, 'JPEGImages', 'd.jpg')); // upright it is 40x30
    writeFileSync(join(root, 'Annotations', 'd.xml'), annotation(box, size(30, 40)));
    writeFileSync(join(root, 'ImageSets/Main', 'turned.txt'), 'd');
    const [turned] = await problemsOf(openVoc({ root, split: 'turned' }));
    expect(turned).toMatchObject({ code: 'E_IMAGE_SIZE', fix: expect.stringContaining('EXIF orientation (6)') });
  });

  test('reads folders, paths of other computers, UTF-16 and declared encodings; and refuses what could be two files', async () => {
    const root = await vocFolder(
      'folders',
      { one: annotation(object('dog', [1, 1, 9, 9])), two: annotation('') },
      { paths: 'C:\\VOC\\JPEGImages\\one.jpg\r\n/home/me/two.jpg\r\n', both: 'x/one.jpg\ny/one.jpg' },
    );
    const copy = (from: string, to: string) => {
      mkdirSync(join(root, to, '..'), { recursive: true });
      writeFileSync(join(root, to), readFileSync(join(root, from)));
    };
    copy('Annotations/one.xml', 'Annotations/in/three.xml');
    copy('JPEGImages/one.jpg', 'JPEGImages/in/three.jpg');
    copy('Annotations/one.xml', 'Annotations/four.xml');
    copy('JPEGImages/one.jpg', 'JPEGImages/deep/er/four.jpg');
    copy('Annotations/one.xml', 'Annotations/twice.xml');
    copy('JPEGImages/one.jpg', 'JPEGImages/twice.jpg');
    copy('JPEGImages/one.jpg', 'JPEGImages/twice.png');
    const named = annotation(object('né', [1, 1, 9, 9]) + object('nè', [1, 1, 9, 9]));
    const latin = named.replace('version="1.0"', 'version="1.0" encoding="ISO-8859-1"');
    writeFileSync(join(root, 'Annotations', 'two.xml'), Buffer.from(latin, 'latin1'));
    writeFileSync(join(root, 'Annotations', 'in', 'three.xml'), Buffer.from(`\ufeff${named}`, 'utf16le'));
    const list = (name: string, text: string) =>
      writeFileSync(join(root, 'ImageSets/Main', `${name}.txt`), Buffer.from(`\ufeff${text}`, 'utf16le'));
    list('wide', 'in/Three\nfour\n');
    list('short', 'three\ntwice\n');
    const names = async (split: string) => {
      const { annotations, categories } = await openVoc({ root, split });
      return [annotations.map(({ imageId }) => imageId), categories.map(({ name }) => name)];
    };
    expect(await names('paths')).toEqual([
      ['one', 'two'],
      ['dog', 'nè', 'né'],
    ]);
    expect(await names('wide')).toEqual([
      ['in/Three', 'four'],
      ['dog', 'nè', 'né'],
    ]);
    expect(await problemsOf(openVoc({ root, split: 'short' }))).toMatchObject([
      { code: 'E_IMAGE_AMBIGUOUS', where: { line: 2 } },
    ]);
    expect(await problemsOf(openVoc({ root, split: 'both' }))).toMatchObject([
      { code: 'E_VOC_MISSING', where: { line: 2 } },
    ]);
    writeFileSync(join(root, 'Annotations', 'two.xml'), Buffer.from(named, 'latin1'));
    expect(await problemsOf(openVoc({ root, split: 'paths' }))).toMatchObject([
      { code: 'E_ENCODING', where: { line: 6 } },
    ]);
  });

  test('says everything that is wrong at once, at its line and column', async () => {
    const root = await vocFolder(
      'bad',
      {
        flat: annotation(object('dog', [50, 3, 48, 9])),
        outside: annotation(object('dog', [1, 1, 9, 9]) + object('cat', [41, 3, 48, 9])),
        text: annotation(object('dog', [1, 1, NaN, 9])),
        nameless: annotation('<object><bndbox/></object>'),
        boxless: annotation('<object><name>dog</name></object>'),
        broken: '<annotation>\n  <object>\n</annotation>',
        foreign: '<html/>',
        deep: '<a>'.repeat(50_000),
        imageless: annotation(''),
        damaged: annotation(''),
      },
      { train: 'flat\noutside\ntext\nnameless\nboxless\nbroken\nforeign\nimageless\ndamaged\nunknown\ndeep' },
    );
    rmSync(join(root, 'JPEGImages/imageless.jpg'));
    writeFileSync(join(root, 'JPEGImages/damaged.jpg'), 'no image');
    const problems = await problemsOf(openVoc({ root, split: 'train' }));
    const byFile = (stem: string) => problems.find(({ where }) => where?.file?.includes(stem));
    expect(byFile('flat')).toMatchObject({
      code: 'E_VOC_BOX',
      message: 'xmax (48) <= xmin (50) in object 1 "dog"',
      where: { line: 8, column: 5 },
    });
    expect(byFile('text')).toMatchObject({ code: 'E_VOC_OBJECT', where: { line: 8 } });
    expect(byFile('nameless')).toMatchObject({ code: 'E_VOC_OBJECT', message: 'object 1 has no <name>' });
    expect(byFile('boxless')).toMatchObject({ code: 'E_VOC_OBJECT', message: 'object 1 "dog" has no <bndbox>' });
    expect(byFile('broken')).toMatchObject({ code: 'E_VOC_XML', where: { line: 3 } });
    expect(byFile('foreign')).toMatchObject({ code: 'E_VOC_XML' });
    expect(byFile('deep')).toMatchObject({ code: 'E_VOC_XML' });
    expect(byFile('damaged')).toMatchObject({ code: 'E_IMAGE_DECODE' });
    const inList = problems
      .filter(({ where }) => where?.file?.endsWith('train.txt'))
      .map(({ code, where }) => [code, where?.line]);
    expect(inList.sort()).toEqual([
      ['E_IMAGE_MISSING', 8],
      ['E_VOC_MISSING', 10],
    ]);
  });

  test('drops and counts bad boxes and broken images when told to', async () => {
    const root = await vocFolder(
      'drop',
      {
        a: annotation(object('dog', [50, 3, 48, 9]) + object('dog', [41, 3, 48, 9]) + object('dog', [1, 1, 2, 2])),
        gone: annotation(''),
        damaged: annotation(''),
      },
      { train: 'a\ngone\ndamaged' },
    );
    rmSync(join(root, 'JPEGImages/gone.jpg'));
    writeFileSync(join(root, 'JPEGImages/damaged.jpg'), 'no image');
    const { annotations, dropped, toCoco } = await openVoc({
      root,
      split: 'train',
      invalidBoxes: 'drop',
      brokenImages: 'drop',
    });
    expect(annotations).toHaveLength(1);
    expect(annotations[0]!.classes).toEqual([0]);
    expect(dropped).toEqual({
      'box without area': 1,
      'box outside its image': 1,
      'image missing': 1,
      'image cannot be decoded': 1,
    });
    expect(toCoco().images).toHaveLength(1);
    await expect(openVoc({ root, split: 'train', brokenImages: 'drop' })).rejects.toMatchObject({ code: 'E_VOC_BOX' });
  });

  testOnShared('finds the two boxes without area in BCCD, and 4886 others', 'bccd_voc', async (root) => {
    const problems = await problemsOf(openVoc({ root, split: 'trainval' }));
    expect(problems.map(({ code, where }) => [code, where?.file?.slice(-20), where?.line])).toEqual([
      ['E_VOC_BOX', 'BloodImage_00338.xml', 163],
      ['E_VOC_BOX', 'BloodImage_00343.xml', 55],
    ]);
    const { train, val } = await openDatasets({
      format: 'voc',
      root,
      train: 'trainval',
      val: 'test',
      invalidBoxes: 'drop',
    });
    expect([train.annotations.length, val.annotations.length]).toEqual([292, 72]);
    const names = [train, val].flatMap(({ annotations, categories }) =>
      annotations.flatMap(({ classes }) => classes.map((i) => categories[i]!.name)),
    );
    expect(names).toHaveLength(4886);
    expect(names.filter((name) => name === 'WBC')).toHaveLength(372);
    expect(train.dropped).toEqual({ 'box without area': 2 });
    expect(val.dropped).toEqual({});
  });

  testOnShared('reads Raccoon: 200 images, 217 boxes, one class', 'raccoon_voc', async (root) => {
    const { train, val } = await openDatasets({ format: 'voc', root, train: 'trainval', val: 'test' });
    expect([train.annotations.length, val.annotations.length]).toEqual([160, 40]);
    expect([train, val].flatMap(({ annotations }) => annotations.flatMap(({ classes }) => classes))).toHaveLength(217);
    expect(val.categories).toEqual([{ id: 1, name: 'raccoon' }]);
  });
});
