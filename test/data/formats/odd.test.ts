import { describe, expect, test } from '@jest/globals';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { convert, type ConvertOptions } from '../../../src/convert/convert.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { recognise } from '../../../src/init/recognise.js';
import { folderOf, root } from './oddFolder.js';

const convertOdd = async (source: string, options: Partial<ConvertOptions> = {}) => {
  const out = join(root, 'converted');
  await rm(out, { recursive: true, force: true });
  return convert({ source, to: 'coco', out, images: 'none', ...options });
};

const cocoFile = (width: number, height: number, ...names: string[]): string =>
  JSON.stringify({
    images: names.map((name, id) => ({ id, file_name: name, width, height })),
    annotations: names.map((_, id) => ({
      id,
      image_id: id,
      category_id: 1,
      bbox: [2, 3, 10, 12],
      iscrowd: 0,
      area: 120,
    })),
    categories: [{ id: 1, name: 'cat' }],
  });

describe('a YOLO folder whose data.yaml cannot be read', () => {
  test.each([
    ['nc: 3\nnames: [cat, dog]\ntrain: images\n', 'E_LABEL_LAYOUT'],
    ['names:\n\t- cat\n', 'E_LABEL_SYNTAX'],
  ])('is an error rather than classes called 0 and 1: %j', async (yaml, code) => {
    const files = { 'images/a.jpg': '', 'labels/a.txt': '0 0.5 0.5 0.2 0.2\n', 'data.yaml': yaml };
    const folder = await folderOf(`yolo-${code}`, files);
    await expect(convertOdd(folder)).rejects.toMatchObject({ code });
  });
});

describe('several COCO files of one part', () => {
  const files = { 'a.jpg': '', 'b.jpg': '', 'one.json': cocoFile(64, 48, 'a.jpg') };

  test('are joined, whatever their ids are; an image that both have counts once', async () => {
    const folder = await folderOf('two files', { ...files, 'two.json': cocoFile(64, 48, 'b.jpg', 'a.jpg') });
    const { parts, dropped } = await convertOdd(folder);
    expect(parts.train).toEqual({ images: 2, objects: 2 });
    expect(dropped.train).toEqual({ 'image listed twice': 1 });
  });

  test('that label an image differently are an error', async () => {
    const other = cocoFile(64, 48, 'a.jpg').replace('[2,3,10,12]', '[2,3,10,13]');
    const folder = await folderOf('two opinions', { ...files, 'two.json': other });
    await expect(convertOdd(folder)).rejects.toMatchObject({ code: 'E_COCO_IMAGE' });
  });
});

describe('boxes that are not what the layout says', () => {
  const boxed = (...boxes: number[][]): string => {
    const json = JSON.parse(cocoFile(64, 48, 'a.jpg')) as { annotations: Record<string, unknown>[] };
    return JSON.stringify({ ...json, annotations: boxes.map((bbox, id) => ({ ...json.annotations[0], id, bbox })) });
  };

  test.each([
    ['corners', [10, 10, 60, 40], 'x1, y1, x2, y2'],
    ['shares', [0.25, 0.5, 0.5, 0.25], 'shares of the image'],
  ])('%s are an error, not boxes that are clipped', async (name, box, message) => {
    const folder = await folderOf(name, { 'a.jpg': '', 'all.json': boxed(box, box) });
    await expect(convertOdd(folder)).rejects.toMatchObject({
      problems: [{ message: expect.stringContaining(message) }],
    });
  });
});

test('classes of COCO may be counted by texts', async () => {
  const text = cocoFile(64, 48, 'a.jpg')
    .replace('"category_id":1', '"category_id":"c-1"')
    .replace('{"id":1,', '{"id":"c-1",');
  const folder = await folderOf('text ids', { 'a.jpg': '', 'all.json': text });
  expect((await convertOdd(folder)).parts.train).toEqual({ images: 1, objects: 1 });
});

test('a validation folder that data.yaml does not name is taken, and one that is the training folder is none', async () => {
  const label = '0 0.5 0.5 0.2 0.2\n';
  const folders = ['train', 'valid'].flatMap((part): [string, string][] => [
    [`${part}/images/${part}.jpg`, ''],
    [`${part}/labels/${part}.txt`, label],
  ]);
  const write = async (yaml: string) => {
    const [best] = await detectLayouts(await folderOf(yaml, { ...Object.fromEntries(folders), 'data.yaml': yaml }));
    return best!;
  };
  expect((await write('names: [x]\ntrain: ../train/images\n')).data).toMatchObject({ val: 'valid/images' });
  const same = await write('names: [x]\ntrain: ../train/images\nval: ../train/images\n');
  expect(same).toMatchObject({
    parts: ['train', 'val'],
    data: { val: 'valid/images' },
    why: expect.stringContaining('is its train'),
  });
});

describe('tables of boxes', () => {
  const rows = (...lines: string[]) => folderOf(lines[0]!, { 'a.jpg': '', 'b.jpg': '', 'boxes.csv': lines.join('\n') });

  test.each([
    ['with decimal commas', 'file;class;x1;y1;x2;y2', 'a.jpg;cat;1,5;2,5;20,5;30,5'],
    ['with the separator in the first line', 'sep=;', 'file;class;x1;y1;x2;y2', 'a.jpg;cat;1.5;2.5;20.5;30.5'],
    ['of makesense.ai', 'cat,1.5,2.5,19,28,a.jpg,64,48'],
  ])('%s', async (_, ...lines) => {
    const [best] = await detectLayouts(await rows(...lines));
    const { train } = await openDatasets({ ...best!.data, val: best!.data['train'] } as unknown as DataOptions);
    expect([...train.annotations[0]!.boxes]).toEqual([1.5, 2.5, 20.5, 30.5]);
  });

  test('with numbers that may have a decimal comma or thousands are an error', async () => {
    const folder = await rows('file;class;x1;y1;x2;y2;z', 'a.jpg;cat;1,500;2,500;20,500;30,500;');
    await expect(convertOdd(folder)).rejects.toMatchObject({ problems: [{ where: { line: 2 } }] });
  });
});

test('tables of classes may be called by ids without extensions, and images lie in any folder', async () => {
  const files = { 'train/7.jpg': '', 'train/8.jpg': '', 'labels.csv': 'id;choice\n7;cat\n8;dog\n' };
  expect((await convertOdd(await folderOf('ids', files), { to: 'csv' })).parts.train).toMatchObject({ images: 2 });
});

test('files of JSON beside those of labelme are counted, unless they are called as an image', async () => {
  const shapes = JSON.stringify({
    imagePath: 'a.jpg',
    shapes: [
      {
        label: 'cat',
        shape_type: 'rotation',
        points: [
          [1, 1],
          [20, 5],
          [18, 30],
          [2, 28],
        ],
      },
    ],
  });
  const folder = await folderOf('settings', { 'a.jpg': '', 'a.json': shapes, 'settings.json': '{"a": 1}' });
  const { parts, dropped } = await convertOdd(folder);
  expect(parts.train).toEqual({ images: 1, objects: 1 });
  expect(dropped.train).toMatchObject({ 'JSON file of another kind, left out': 1 });
});

describe('convert', () => {
  test('refuses boxes of another version of an image, or leaves the image out', async () => {
    const files = { 'a.jpg': '', 'b.jpg': '', 'all.json': cocoFile(640, 480, 'a.jpg', 'b.jpg') };
    const folder = await folderOf('resized', files);
    await expect(convertOdd(folder)).rejects.toMatchObject({
      code: 'E_IMAGE_SIZE',
      problems: [{ fix: expect.stringContaining('--skip-broken') }, {}],
    });
    const { parts, dropped } = await convertOdd(folder, { skipBroken: true });
    expect(parts.train).toEqual({ images: 0, objects: 0 });
    expect(dropped.train).toEqual({ 'image has another size than its annotation says': 2 });
  });

  test('does not write into the data set, which would then have two sets of labels', async () => {
    const folder = await folderOf('inside', { 'a.jpg': '', 'all.json': cocoFile(64, 48, 'a.jpg') });
    await expect(convertOdd(folder, { out: join(folder, 'yolo') })).rejects.toMatchObject({ code: 'E_CONVERT_OUT' });
  });

  test('writes words without character boxes, which training could not learn from', async () => {
    const folder = await folderOf('words', { 'a.jpg': '', 'gt_a.txt': '1,1,20,1,20,9,1,9,hello\n' });
    expect(await convertOdd(folder)).toMatchObject({ parts: { train: { images: 1, objects: 1 } } });
  });
});

test('the layout that one part of scene text tells is that of a part in doubt', async () => {
  const price = '1,1,20,1,20,9,1,9,1,200\n';
  const files = {
    'train/a.jpg': '',
    'train_gt/gt_a.txt': price,
    'val/b.jpg': '',
    'val_gt/gt_b.txt': price.replace('1,200', 'x'),
  };
  const [best] = await detectLayouts(await folderOf('prices', files));
  expect(best).toMatchObject({ format: 'icdar', parts: ['train', 'val'], data: { layout: 'icdar2015' } });
});

test("Total-Text's own text files are recognised", async () => {
  const line = "x: [[1 20 20 1]], y: [[1 1 9 9]], ornt: [u'c'], transcriptions: [u'HI']\n";
  const [best] = await detectLayouts(await folderOf('native', { 'a.jpg': '', 'poly_gt_a.txt': line }));
  expect(best).toMatchObject({ format: 'icdar', data: { layout: 'total-text-native' } });
});

describe('folders of classes', () => {
  test.each([
    ['training_set', 'test_set', 'training_set'],
    ['seg_train/seg_train', 'seg_test/seg_test', 'seg_train/seg_train'],
  ])('lie in %s', async (train, held, place) => {
    const files = Object.fromEntries(
      [train, held].flatMap((part) => ['x', 'y'].map((name) => [`${part}/${name}/1.jpg`, ''])),
    );
    const [best] = await detectLayouts(await folderOf(`parts ${train}`, files));
    expect(best).toMatchObject({ format: 'imageFolder', parts: ['train', 'test'], data: { train: place } });
  });

  test('may be called like a part among other words', async () => {
    const files = { 'test tube/1.jpg': '', 'beaker/1.jpg': '' };
    const { chosen } = await recognise(await folderOf('glass', files));
    expect(chosen).toMatchObject({ format: 'imageFolder', data: { train: '.' } });
  });

  test('with a link to themselves have each image once', async () => {
    const folder = await folderOf('circle', { 'x/1.jpg': '', 'y/1.jpg': '' });
    await symlink('..', join(folder, 'x', 'up'));
    const { parts } = await convertOdd(folder, { to: 'csv' });
    expect(parts.train).toMatchObject({ images: 2 });
  });
});
