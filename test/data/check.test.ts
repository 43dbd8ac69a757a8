import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { checkData, type DataCheck } from '../../src/data/check/checkData.js';
import type { DataOptions } from '../../src/data/dataset.js';
import { writeSamplePage } from '../../src/report/samplePage.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
const options = { size: [64, 64], resize: 'stretch', batch: 2 } as const;

/** A picture unlike any other, by its number. */
const picture = (seed: number, width = 40, height = 30) =>
  sharp(Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * (seed * 7 + 3) + seed * 31) % 251)), {
    raw: { width, height, channels: 3 },
  });
const object = (name: string, corners: readonly (number | string)[], more = '') =>
  `\n  <object><name>${name}</name>${more}<bndbox><xmin>${corners[0]}</xmin><ymin>${corners[1]}</ymin><xmax>${corners[2]}</xmax><ymax>${corners[3]}</ymax></bndbox></object>`;
const xml = (objects = '', size = '<size><width>40</width><height>30</height></size>') =>
  `<annotation>${size}${objects}\n</annotation>`;
const kinds = ({ remarks }: DataCheck) => [
  ...new Set(remarks.map(({ level, part, code }) => `${level} ${part ?? ''} ${code}`)),
];
const found = ({ remarks }: DataCheck, code: string) => remarks.filter((remark) => remark.code === code);

describe('a VOC folder with odd things', () => {
  const root = join(dir, 'odd VOC folder, ünïcode');
  let result: DataCheck;
  beforeAll(async () => {
    for (const folder of ['Annotations', 'ImageSets/Main', 'JPEGImages'])
      mkdirSync(join(root, folder), { recursive: true });
    const add = async (stem: string, text: string, image: Promise<Buffer> | Buffer, extension: string) => {
      writeFileSync(join(root, 'Annotations', `${stem}.xml`), text);
      writeFileSync(join(root, 'JPEGImages', `${stem}.${extension}`), await image);
    };
    await add('my photo', xml(object('hund', [1.5, 2.25, 20.75, 29])), picture(1).jpeg().toBuffer(), 'JPG');
    await add('größe', xml(object('Hund', [0, 0, 41, 31])), picture(2).toColourspace('rgb16').png().toBuffer(), 'PNG');
    await add(
      'grey',
      xml(object('hund', [5, 5, 9, 9]) + object('hund', [5, 5, 9, 9])),
      picture(3).greyscale().png().toBuffer(),
      'png',
    );
    await add('empty', xml(), picture(4).jpeg().toBuffer(), 'jpeg');
    await add(
      'nosize',
      xml(object('hund', [3, 3, 3.5, 20]) + object('katze', [1, 1, 9, 9], '<difficult>1</difficult>'), ''),
      picture(5).jpeg().toBuffer(),
      'jpg',
    );
    await add(
      'turned',
      xml(object('hund', [1, 1, 20, 20]), '<size><width>30</width><height>40</height></size>'),
      picture(6).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      'jpg',
    );
    await add('flat', xml(object('hund', [20, 3, 10, 9])), picture(7).jpeg().toBuffer(), 'jpg');
    await add('outside', xml(object('hund', [41, 3, 48, 9])), picture(8).jpeg().toBuffer(), 'jpg');
    await add('broken', xml(), Buffer.from('no picture'), 'jpg');
    await add(
      'cut',
      xml('', '<size><width>400</width><height>300</height></size>'),
      (await picture(9, 400, 300).jpeg().toBuffer()).subarray(0, 9000),
      'jpg',
    );
    await add('copy', xml(object('hund', [2, 2, 30, 30])), picture(1).jpeg().toBuffer(), 'jpg');
    writeFileSync(
      join(root, 'ImageSets/Main/train.txt'),
      'my photo\r\ngröße\r\ngrey 1\nempty -1\nnosize\nturned\nflat\noutside\nbroken\ncut\nabsent\n',
    );
    writeFileSync(join(root, 'ImageSets/Main/val.txt'), 'copy\n');
    result = await checkData({ format: 'voc', root, train: 'train', val: 'val' }, options);
  }, 60_000);

  test('is told everything at once', () => {
    expect(kinds(result)).toEqual(
      expect.arrayContaining([
        'error train E_VOC_BOX',
        'error train E_VOC_MISSING',
        'error train E_IMAGE_DECODE',
        'warning train W_DATA_MENDED',
        'warning train W_BOX_DUPLICATE',
        'warning train W_IMAGE_ROTATED',
        'warning val W_IMAGE_LEAK',
        'warning  W_CATEGORY_ALIKE',
        'warning train W_CATEGORY_FEW',
        'warning train W_CATEGORY_EMPTY',
        'warning val W_CATEGORY_EMPTY',
      ]),
    );
    expect(result.trainable).toBe(false);
    expect(found(result, 'E_VOC_BOX').map(({ message }) => message)).toEqual([
      'xmax (10) <= xmin (20) in object 1 "hund"',
      'box x 40, y 2, width 8, height 7 outside the 40x30 image in object 1 "hund"',
    ]);
    expect(found(result, 'E_IMAGE_DECODE').map(({ where }) => where?.file?.split('/').at(-1))).toEqual([
      'broken.jpg',
      'cut.jpg',
    ]);
    expect(found(result, 'W_BOX_DUPLICATE')[0]).toMatchObject({
      where: { file: join(root, 'Annotations/grey.xml'), line: 3 },
    });
    expect(found(result, 'W_IMAGE_LEAK')[0]!.where!.file).toBe(join(root, 'JPEGImages/copy.jpg'));
    expect(found(result, 'W_IMAGE_ROTATED')[0]!.message).toContain('upright it is 30x40');
  });

  test('counts what is there', () => {
    expect(result.parts.train).toMatchObject({ images: 9, withoutObjects: 4, objects: 6, ignored: 1 });
    expect(result.parts.val!.categories.find(({ name }) => name === 'hund')).toMatchObject({
      images: 1,
      objects: 1,
      meanWidth: 29,
      meanHeight: 29,
      meanInputWidth: (29 * 64) / 40,
    });
  });

  test('with drop policies what is broken is a warning, and the rest can be trained on', async () => {
    writeFileSync(join(root, 'ImageSets/Main/most.txt'), 'my photo\ngröße\ngrey\nflat\noutside\ncut\nbroken\n');
    const drop = { invalidBoxes: 'drop', brokenImages: 'drop' } as const;
    const lenient = await checkData({ format: 'voc', root, train: 'most', val: 'val', ...drop }, options);
    expect(lenient.trainable).toBe(true);
    expect(kinds(lenient)).toEqual(expect.arrayContaining(['warning train E_VOC_BOX', 'warning train E_IMAGE_DECODE']));
    expect(lenient.parts.train!.dropped).toMatchObject({ 'box without area': 1, 'box outside its image': 1 });
  });

  test('shows samples on a page, and images that cannot be read as such', async () => {
    const file = join(dir, 'pages', 'check.html');
    const epochs = 4;
    await writeSamplePage(
      result.opened.train!,
      { size: [64, 64], augment: { kind: 'boxes', flip: 0.5 }, seed: 1, epochs, draws: 2 },
      file,
    );
    const page = readFileSync(file, 'utf8');
    expect(page.match(/data:image\/jpeg/g)!.length).toBeGreaterThan(15);
    expect(page).toContain('cannot be decoded');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });

  test('stops at the signal and says so', async () => {
    const data: DataOptions = { format: 'voc', root, train: 'train', val: 'val' };
    const { complete, trainable } = await checkData(data, { ...options, signal: AbortSignal.abort() });
    expect([complete, trainable]).toEqual([false, false]);
  });
});

describe('a COCO folder with odd things', () => {
  const root = join(dir, 'coco');
  const categories = [
    { id: 0, name: 'dog' },
    { id: 7, name: 'cat' },
  ];
  beforeAll(async () => {
    mkdirSync(join(root, 'images'), { recursive: true });
    for (const i of [1, 2, 3, 4, 5])
      await picture(i)
        .png()
        .toFile(join(root, 'images', `${i}.png`));
  });
  const images = (...ids: number[]) => ids.map((id) => ({ id, file_name: `${id}.png`, width: 40, height: 30 }));
  const open = (train: object, val: object) => {
    writeFileSync(join(root, 'train.json'), JSON.stringify(train));
    writeFileSync(join(root, 'val.json'), JSON.stringify(val));
    const part = (name: string) => ({ annotations: `${name}.json`, images: 'images' });
    return checkData({ format: 'coco', root, train: part('train'), val: part('val') }, options);
  };

  test('RLE crowds are ignored, boxes one pixel outside clipped, categories of one part only pointed out', async () => {
    const rle = { counts: [600, 600], size: [30, 40] };
    const result = await open(
      {
        images: images(1, 2),
        categories,
        annotations: [
          { id: 1, image_id: 1, category_id: 0, bbox: [0, 0, 20, 30], iscrowd: 1, area: 600, segmentation: rle },
          { id: 2, image_id: 1, category_id: 7, bbox: [-1, 0.5, 20, 20.25] },
          { id: 4, image_id: 1, category_id: 7, bbox: [5, 5, 0.5, 9.5] },
        ],
      },
      {
        images: images(3),
        categories: [...categories, { id: 9, name: 'cow' }],
        annotations: [{ id: 3, image_id: 3, category_id: 9, bbox: [1, 1, 8, 8] }],
      },
    );
    expect(result.trainable).toBe(true);
    expect(result.parts.train).toMatchObject({ objects: 2, ignored: 1, withoutObjects: 1 });
    expect(found(result, 'W_BOX_INVISIBLE').map(({ message }) => message)).toEqual([
      expect.stringMatching(/annotations\[2\] \(id 4\): 0\.80x20\.27 pixels at 64x64/),
    ]);
    expect(found(result, 'W_CATEGORY_UNLEARNED')).toMatchObject([
      { part: 'val', message: expect.stringContaining('"cow"') },
    ]);
    expect(found(result, 'W_DATA_MENDED')).toHaveLength(1);
  });

  test('a name that an earlier conversion damaged, and an image of 12 bits in 16, are pointed out', async () => {
    const values = Uint16Array.from({ length: 40 * 30 }, (_, i) => (i * 37) % 4096);
    await sharp(values, { raw: { width: 40, height: 30, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toFile(join(root, 'images', '6.png'));
    const part = {
      images: images(6),
      categories: [{ id: 1, name: 'n\ufffd' }],
      annotations: [{ id: 1, image_id: 6, category_id: 1, bbox: [1, 1, 20, 20] }],
    };
    const result = await open(part, { ...part, images: images(1), annotations: [] });
    expect(found(result, 'W_CATEGORY_LOST')).toHaveLength(1);
    expect(found(result, 'W_IMAGE_DEPTH')).toMatchObject([
      { part: 'train', where: { file: join(root, 'images', '6.png') }, message: expect.stringContaining('12 of them') },
    ]);
  });

  test('boxes written as corners or as shares of the image are recognised', async () => {
    const boxes = (bbox: number[]) => ({
      images: images(4, 5),
      categories,
      annotations: [4, 5].map((id) => ({ id, image_id: id, category_id: 0, bbox })),
    });
    for (const bbox of [
      [20, 15, 38, 29],
      [0.1, 0.2, 0.5, 0.5],
    ]) {
      const result = await open(boxes(bbox), boxes(bbox));
      expect(found(result, 'W_BOX_FORMAT').map(({ part }) => part)).toEqual(['train', 'val']);
    }
  });

  test('one broken part does not hide the other', async () => {
    writeFileSync(join(root, 'broken.json'), '{"images"');
    const sound = {
      images: images(1),
      categories,
      annotations: [{ id: 1, image_id: 9, category_id: 0, bbox: [1, 1, 2, 2] }],
    };
    writeFileSync(join(root, 'val.json'), JSON.stringify(sound));
    const part = (name: string) => ({ annotations: `${name}.json`, images: 'images' });
    const result = await checkData({ format: 'coco', root, train: part('broken'), val: part('val') }, options);
    expect(kinds(result)).toEqual(expect.arrayContaining(['error train E_COCO_JSON', 'error val E_COCO_ANNOTATION']));
  });
});

test('the synthetic set is sound', async () => {
  const data = {
    format: 'synthetic',
    root: join(dir, 'drawn'),
    seed: 1,
    train: { images: 24 },
    val: { images: 6 },
  } as const;
  const result = await checkData(data, { ...options, size: [320, 320] });
  expect(result.trainable).toBe(true);
  expect(result.parts.train!.objects).toBeGreaterThan(24);
  expect(kinds(result).filter((kind) => !/W_CATEGORY/.test(kind))).toEqual([]);
});

test('words that all read the same are placeholders, but where transcriptions are not used', async () => {
  const root = join(dir, 'placeholders');
  for (const folder of ['images', 'truth']) mkdirSync(join(root, folder), { recursive: true });
  for (const i of [1, 2]) {
    writeFileSync(
      join(root, 'images', `${i}.jpg`),
      await picture(40 + i, 400, 40)
        .jpeg()
        .toBuffer(),
    );
    const lines = Array.from({ length: 12 }, (_, k) => `${k * 30}, 2, ${k * 30 + 20}, 30, "text"`);
    writeFileSync(join(root, 'truth', `gt_${i}.txt`), lines.join('\n'));
  }
  const place = { images: 'images', truth: 'truth' };
  const check = (transcriptions: boolean) =>
    checkData(
      { format: 'icdar', root, train: place, val: { every: 2 }, characters: 'split', crops: 1, transcriptions },
      options,
    ); // prettier-ignore
  expect(found(await check(true), 'W_TEXT_SAME')).toEqual([]); // 12 words in each part are too few for a warning
  const line = Array.from({ length: 24 }, (_, k) => `${k * 16}, 2, ${k * 16 + 12}, 30, "text"`).join('\n');
  for (const i of [1, 2]) writeFileSync(join(root, 'truth', `gt_${i}.txt`), line);
  expect(found(await check(true), 'W_TEXT_SAME').map(({ part }) => part)).toEqual(['train', 'val']);
  expect(found(await check(false), 'W_TEXT_SAME')).toEqual([]);
});
