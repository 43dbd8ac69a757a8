import { beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { convert } from '../../src/convert/convert.js';
import { openSource } from '../../src/convert/openSource.js';
import { repair } from '../../src/convert/repair.js';
import { checkData } from '../../src/data/check/checkData.js';
import { repairSize } from '../../src/data/image/repairSize.js';
import type { ImageHeader } from '../../src/data/image/image.js';
import * as fc from '../fastCheck.js';
import { placeIn } from './formats/smallSet.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
const options = { size: [64, 64], resize: 'stretch', batch: 1 } as const;

const picture = (seed: number, width = 40, height = 30) =>
  sharp(Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * (seed * 7 + 3) + seed * 31) % 251)), {
    raw: { width, height, channels: 3 },
  }).jpeg();

/** Name and box of each object of each image. */
async function contentsOf(folder: string): Promise<Record<string, unknown>> {
  const { parts } = await openSource(folder, {});
  return Object.fromEntries(
    Object.entries(parts).map(([part, dataset]) => {
      const names = new Map<number, string>(dataset.categories.map(({ id, name }) => [id, name]));
      const { images, annotations } = dataset.toCoco();
      const objects = images.map(({ id, file_name: file, width, height }) => [
        file.split('/').at(-1)!.replace(/\..*/, ''),
        `${width}x${height}`,
        annotations
          .filter((one) => one.image_id === id)
          .map(({ bbox, category_id: category }) => [
            names.get(category),
            ...bbox.map((x) => Math.round(x * 100) / 100),
          ]),
      ]);
      return [part, objects.sort()];
    }),
  );
}

describe('the size of an image and its boxes', () => {
  const header = (width: number, height: number, orientation = 1) => ({ width, height, orientation }) as ImageHeader;
  const said = { width: 40, height: 30 };

  test('boxes are turned as EXIF turns the image', () => {
    const box = [2, 3, 10, 5] as const; // left 2, above 3, right 28, below 22
    const turned = (orientation: number) => repairSize(said, header(30, 40, orientation), [box])!.move!(box);
    expect([5, 6, 7, 8].map(turned)).toEqual([
      [3, 2, 5, 10],
      [22, 2, 5, 10],
      [22, 28, 5, 10],
      [3, 28, 5, 10],
    ]);
  });

  test('only what the boxes prove is repaired', () => {
    const kind = (actual: ImageHeader, ...boxes: [number, number, number, number][]) => {
      const repair = repairSize(said, actual, boxes);
      return repair && (repair.move ? repair.move([1, 1, 2, 2]) : 'size');
    };
    expect(kind(header(80, 60), [30, 20, 10, 10])).toEqual([2, 2, 4, 4]);
    expect(kind(header(80, 60), [60, 20, 10, 10])).toBe('size');
    expect(kind(header(20, 15), [30, 20, 10, 10])).toEqual([0.5, 0.5, 1, 1]);
    expect(kind(header(20, 15), [1, 1, 9, 9])).toBeUndefined();
    expect(kind(header(30, 40), [1, 1, 9, 9])).toBeUndefined();
    expect(kind(header(30, 40), [1, 25, 9, 9])).toBe('size');
    expect(kind(header(50, 30), [1, 1, 9, 9])).toBeUndefined();
    expect(kind(header(50, 30))).toBe('size');
  });
});

describe('a VOC folder with mistakes', () => {
  const root = join(dir, 'voc');
  const out = join(dir, 'voc repaired');
  const object = (name: string, [x1, y1, x2, y2]: readonly number[]) =>
    `\n<object><name>${name}</name><bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox></object>`;
  const xml = (objects: string, [w, h] = [40, 30]) =>
    `<annotation>\n<size><width>${w}</width><height>${h}</height></size>${objects}\n</annotation>`;
  let messages: string[];

  beforeAll(async () => {
    const place = placeIn(root);
    const all: Record<string, [string, Buffer]> = {
      right: [xml(object('dog', [3, 4, 20, 21])), await picture(1).toBuffer()],
      same: [xml(object('dog', [3, 4, 20, 21])), await picture(1).toBuffer()],
      corners: [xml(object('dog', [20, 21, 3, 4]) + object('Dog ', [1, 1, 9, 9])), await picture(2).toBuffer()],
      turned: [
        xml(object('dog', [3, 4, 12, 8])),
        await picture(3).withMetadata({ orientation: 6 }).toBuffer(), // upright it is 30x40
      ],
      size: [xml(object('dog', [3, 4, 60, 21])), await picture(4, 80, 50).toBuffer()],
      beyond: [
        xml(object('dog', [31, 4, 60, 21]) + object('dog', [50, 4, 60, 21]) + object('dog', [5, 5, 5, 9])),
        await picture(5).toBuffer(),
      ],
      twice: [xml(object('cat', [3, 4, 20, 21]).repeat(2)), await picture(6).toBuffer()],
      doubtful: [xml(object('cat', [3, 4, 20, 21]), [41, 70]), await picture(7).toBuffer()],
      broken: [xml(''), Buffer.from('no picture')],
    };
    for (const [stem, [text, image]] of Object.entries(all)) {
      place(`Annotations/${stem}.xml`, text);
      place(`JPEGImages/${stem}.jpg`, image);
    }
    place('ImageSets/Main/train.txt', Object.keys(all).join('\n'));
    place('ImageSets/Main/val.txt', 'twice\n');
    const { changes } = await repair({ source: root, out });
    messages = changes.map(({ kind, message, where }) =>
      [kind, where?.file?.split('/').at(-1), where?.line, message].filter((one) => one !== undefined).join(' '),
    );
  });

  test('has no error afterwards, and what was right is unchanged', async () => {
    const checked = await checkData({ format: 'voc', root: out, train: 'train', val: 'val' }, options);
    expect(checked.remarks.filter(({ level }) => level === 'error')).toEqual([]);
    const { train } = await contentsOf(out);
    expect(train).toEqual([
      ['beyond', '40x30', [['dog', 30, 3, 10, 18]]],
      [
        'corners',
        '40x30',
        [
          ['dog', 2, 3, 18, 18],
          ['dog', 0, 0, 9, 9],
        ],
      ],
      ['right', '40x30', [['dog', 2, 3, 18, 18]]],
      ['size', '80x50', [['dog', 2, 3, 58, 18]]],
      ['turned', '30x40', [['dog', 22, 2, 5, 10]]],
      ['twice', '40x30', [['cat', 2, 3, 18, 18]]],
    ]);
  });

  test('every change is listed with its place', () => {
    const expected = [
      /^corrected corners.xml 3 .*exchanged/,
      /^corrected turned.xml 2 size of the image corrected: .*EXIF orientation 6/,
      /^corrected size.xml 2 .*all boxes fit into it/,
      /^corrected beyond.xml 3 box clipped/,
      /^left out beyond.xml 4 box outside its image/,
      /^left out beyond.xml 5 box without area/,
      /^corrected twice.jpg a second "cat"/,
      /^left out doubtful.xml 2 image has another size/,
      /^left out broken.jpg image cannot be decoded/,
      /^corrected same.jpg the same picture with the same labels/,
    ];
    for (const pattern of expected) expect(messages).toContainEqual(expect.stringMatching(pattern));
    const list = readFileSync(join(out, 'REPAIRS.md'), 'utf8');
    expect(list).toMatch(/corners\.xml:3: .*exchanged/);
  });

  test('is not written into a folder with files', async () => {
    const before = readFileSync(join(out, 'REPAIRS.md'), 'utf8');
    await expect(repair({ source: root, out })).rejects.toMatchObject({ code: 'E_CONVERT_OUT' });
    await expect(repair({ source: root, out: join(root, 'copy') })).rejects.toMatchObject({ code: 'E_CONVERT_OUT' });
    expect(readFileSync(join(out, 'REPAIRS.md'), 'utf8')).toBe(before);
    expect(existsSync(join(root, 'copy'))).toBe(false);
  });
});

describe('a COCO folder', () => {
  const root = join(dir, 'coco');
  beforeAll(async () => {
    mkdirSync(root);
    for (const part of ['train', 'val']) {
      mkdirSync(join(root, part));
      for (const i of [1, 2]) writeFileSync(join(root, part, `${part}${i}.jpg`), await picture(i + 10).toBuffer());
      const images = [1, 2].map((id) => ({ id, file_name: `${part}${id}.jpg`, width: 40, height: 30 }));
      const annotations = [
        { id: 1, image_id: 1, category_id: 1, bbox: [3, 4, 10.5, 12], area: 100, iscrowd: 0 },
        { id: 2, image_id: 2, category_id: 2, bbox: [0, 4, 40, 12], area: 480, iscrowd: 0 },
      ];
      const categories = [
        { id: 1, name: 'dog' },
        { id: 2, name: 'cat' },
      ];
      writeFileSync(join(root, `${part}.json`), JSON.stringify({ images, annotations, categories }));
    }
  });

  test.each(['coco', 'voc', 'yolo', 'labelme', 'createml', 'csv'])(
    'that is right stays as it is, as %s',
    async (to) => {
      const [clean, copy] = [join(dir, `clean-${to}`), join(dir, `copy-${to}`)];
      await convert({ source: root, to, out: clean, images: 'copy' });
      const { changes } = await repair({ source: clean, out: copy });
      expect(changes.filter(({ kind }) => kind === 'left out')).toEqual([]);
      expect(await contentsOf(copy)).toEqual(await contentsOf(clean));
    },
  );

  test('whose boxes are corners is an error, since clipped they would look sound; images in doubt are left out', async () => {
    const write = (name: string, boxes: readonly number[][], file: (i: number) => string): string => {
      const place = placeIn(join(dir, name));
      const images = boxes.map((_, id) => ({ id, file_name: file(id), width: 40, height: 30 }));
      const annotations = boxes.map((bbox, id) => ({ id, image_id: id, category_id: 1, bbox, area: 1, iscrowd: 0 }));
      place('train.json', JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'dog' }] }));
      return join(dir, name);
    };
    const corners = write('corners', [[20, 15, 38, 28], [22, 16, 39, 29]], (i) => `${i}.jpg`); // prettier-ignore
    const doubt = write('doubt', [[3, 4, 10, 12], [5, 4, 10, 12], [3, 4, 10, 12]], (i) => (i === 2 ? 'c.jpg' : 'a.jpg')); // prettier-ignore
    for (const [i, name] of ['corners/0', 'corners/1', 'doubt/a', 'doubt/c'].entries())
      writeFileSync(join(dir, `${name}.jpg`), await picture(i + 30).toBuffer());
    const out = join(dir, 'corners repaired');
    await expect(repair({ source: corners, out })).rejects.toMatchObject({ code: 'E_COCO_BOX' });
    expect(existsSync(out)).toBe(false);
    await repair({ source: doubt, out });
    expect(await contentsOf(out)).toEqual({ train: [['c', '40x30', [['dog', 3, 4, 10, 12]]]] });
  });

  test('with ids that occur twice and boxes drawn backwards is put right', async () => {
    const place = placeIn(join(dir, 'ids'));
    for (const i of [1, 2]) place(`train/${i}.jpg`, await picture(i + 20).toBuffer());
    const image = { id: 1, file_name: '1.jpg', width: 40, height: 30 };
    const annotation = { id: 5, image_id: 1, category_id: 1, bbox: [3, 4, 10, 12], area: 120, iscrowd: 0 };
    const json = {
      images: [image, image, { ...image, id: 2, file_name: '2.jpg' }],
      annotations: [annotation, { ...annotation, image_id: 2, bbox: [30, 20, -10, -12] }],
      categories: [
        { id: 1, name: 'dog' },
        { id: 1, name: 'dog' },
      ],
    };
    place('train.json', JSON.stringify(json));
    const out = join(dir, 'ids repaired');
    const { changes } = await repair({ source: join(dir, 'ids'), out });
    expect(changes.map(({ message }) => message.split(':')[0]).sort()).toEqual([
      'annotation with a new id',
      'category listed twice',
      'corners of a box put in order',
      'image listed twice',
    ]);
    expect(await contentsOf(out)).toEqual({
      train: [
        ['1', '40x30', [['dog', 3, 4, 10, 12]]],
        ['2', '40x30', [['dog', 20, 8, 10, 12]]],
      ],
    });
  });
});

describe('whatever is wrong', () => {
  /** An object of an image of 40 × 30 pixels, and what is wrong with it. */
  const object = fc.record({
    x: fc.integer({ min: 0, max: 20 }),
    y: fc.integer({ min: 0, max: 15 }),
    side: fc.integer({ min: 2, max: 15 }),
    name: fc.constantFrom('dog', 'cat'),
    fault: fc.constantFrom('', '', 'beyond', 'twice', 'case'),
  });
  const folders = fc.array(fc.array(object, { maxLength: 3 }), { minLength: 2, maxLength: 3 });
  type Objects = readonly { x: number; y: number; side: number; name: string; fault: string }[];

  async function writeFaulty(folder: string, images: readonly Objects[]): Promise<void> {
    const place = placeIn(folder);
    const names = ['dog', 'cat', 'Dog ', 'CAT'];
    for (const [p, part] of ['train', 'val'].entries()) {
      const all = [[{ x: 1, y: 1, side: 9, name: 'dog', fault: '' }], ...images];
      for (const i of all.keys()) place(`${part}/${part}${i}.jpg`, await picture(50 * p + i).toBuffer());
      const boxes = all.flatMap((objects, i) =>
        objects.flatMap(({ x, y, side, name, fault }) => {
          const category = names.indexOf(name) + (fault === 'case' ? 2 : 0) + 1;
          const one = {
            image_id: i + 1,
            category_id: category,
            bbox: [x, y, side + (fault === 'beyond' ? 40 : 0), side],
          };
          return fault === 'twice' ? [one, one] : [one];
        }),
      );
      const json = {
        images: all.map((_, i) => ({ id: i + 1, file_name: `${part}${i}.jpg`, width: 40, height: 30 })),
        annotations: boxes.map((one, id) => ({ id: id + 1, area: one.bbox[2]! * one.bbox[3]!, iscrowd: 0, ...one })),
        categories: names.map((name, i) => ({ id: i + 1, name })),
      };
      place(`${part}.json`, JSON.stringify(json));
    }
  }

  const LAYOUTS = ['coco', 'voc', 'yolo', 'labelme', 'createml', 'csv', 'labelstudio', 'via', 'huggingface'];

  test.each(LAYOUTS)(
    'the copy of %s has no finding, the rest is unchanged, and a copy of it is the same',
    async (to) => {
      let count = 0;
      await fc.assert(
        fc.asyncProperty(folders, async (images) => {
          const folder = join(dir, `faulty-${to}-${count++}`);
          const [source, copy, again] = ['source', 'copy', 'again'].map((name) => join(folder, name)) as [
            string,
            string,
            string,
          ];
          await writeFaulty(join(folder, 'coco'), images);
          await convert({ source: join(folder, 'coco'), to, out: source, images: 'link' });
          await repair({ source, out: copy });
          const { parts } = await openSource(copy, {});
          for (const { dropped } of Object.values(parts)) expect(dropped).toEqual({});
          const expected = images.map((objects) =>
            objects
              .map(({ x, y, side, name, fault }) => [name, x, y, fault === 'beyond' ? 40 - x : side, side])
              .filter((one, i, all) => all.findIndex((other) => String(other) === String(one)) === i)
              .map(String)
              .sort(),
          );
          for (const part of Object.values(await contentsOf(copy)) as [string, string, unknown[][]][][])
            expect(
              part.slice(1).map(([, , objects]) =>
                objects
                  .map((one) =>
                    String(one)
                      .toLowerCase()
                      .trim()
                      .replace(/^(\w+) *,/, '$1,'),
                  )
                  .sort(),
              ),
            ).toEqual(expected);
          const { changes } = await repair({ source: copy, out: again });
          expect(changes).toEqual([]);
          expect(await contentsOf(again)).toEqual(await contentsOf(copy));
          rmSync(folder, { recursive: true });
        }),
        { numRuns: 1 },
      );
    },
  );

  test.each(['imageFolder', 'labelstudio', 'huggingface', 'csv'])(
    'classes of images as %s: one name for each, and twice is once',
    async (to) => {
      const folder = join(dir, `classes-${to}`);
      const [source, copy, again] = ['source', 'copy', 'again'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const place = placeIn(join(folder, 'folders'));
      for (const [i, path] of [
        'train/dog/1',
        'train/dog/2',
        'train/Dog/3',
        'train/cat/4',
        'val/dog/5',
        'val/cat/6',
      ].entries())
        place(`${path}.jpg`, await picture(i + 30).toBuffer());
      await convert({ source: join(folder, 'folders'), to, out: source, images: 'link' });
      const { changes } = await repair({ source, out: copy });
      expect(changes.map(({ message }) => message)).toEqual(['category "Dog" is called "dog", as elsewhere']);
      const labels = async (root: string) => {
        const { parts } = await openSource(root, {});
        return Object.values(parts).map(({ annotations, categories }) =>
          annotations
            .map((one) => `${basename(one.file)} ${one.kind === 'wholeImage' ? categories[one.label]!.name : ''}`)
            .sort(),
        );
      };
      expect(await labels(copy)).toEqual([
        ['1.jpg dog', '2.jpg dog', '3.jpg dog', '4.jpg cat'],
        ['5.jpg dog', '6.jpg cat'],
      ]);
      expect((await repair({ source: copy, out: again })).changes).toEqual([]);
      expect(await labels(again)).toEqual(await labels(copy));
    },
  );
});
