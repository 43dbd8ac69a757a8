import { describe, expect, test } from '@jest/globals';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { convert, type ConvertOptions } from '../../../src/convert/convert.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { recognise } from '../../../src/init/recognise.js';
import { temporaryFolder } from '../temporaryFolder.js';

const root = temporaryFolder();
const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#a52' } })
  .jpeg()
  .toBuffer();

/** Writes files below a folder of its own; an image for each path that ends as one. */
async function folderOf(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, /\.jpg$/.test(path) && text === '' ? jpeg : text);
  }
  return join(root, name);
}

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

describe('layouts of programs that draw more than boxes', () => {
  const open = async (folder: string) => {
    const [best] = await detectLayouts(folder);
    const data = { ...best!.data, val: best!.data['train'] } as unknown as DataOptions;
    const { train } = await openDatasets(data);
    const objects = train.annotations.flatMap(({ boxes, classes, ignore }) =>
      classes.map((index, i) => {
        const corners = [...boxes.subarray(4 * i, 4 * i + 4)].map(Math.round).join(' ');
        return `${train.categories[index]!.name} ${corners}${ignore[i] ? ' ignored' : ''}`;
      }),
    );
    return { format: best!.format, objects, dropped: train.dropped };
  };

  test('CVAT: a rotated box, an ellipse, a mask and points; tracks of a video say what to do', async () => {
    const xml = (shapes: string): string =>
      `<annotations><version>1.1</version><image id="0" name="a.jpg" width="64" height="48">${shapes}</image></annotations>`;
    const shapes =
      '<box label="car" xtl="10" ytl="20" xbr="30" ybr="24" rotation="90.0"/><ellipse label="car" cx="20" cy="20" rx="8" ry="4"/>' +
      '<mask label="dog" rle="1, 2" left="3" top="4" width="10" height="6"/><points label="dog" points="1,2"/><tag label="day"/>';
    const folder = await folderOf('cvat', { 'images/a.jpg': '', 'annotations.xml': xml(shapes) });
    expect(await open(folder)).toEqual({
      format: 'cvat',
      objects: ['car 18 12 22 32', 'car 12 16 28 24', 'dog 3 4 13 10'],
      dropped: {
        'rotated box read as the box around it': 1,
        'ellipse read as the box around it': 1,
        'mask read as the box around it': 1,
        'shape without area (points), left out': 1,
      },
    });
    const video =
      '<annotations><track id="0" label="car"><box frame="0" xtl="1" ytl="1" xbr="9" ybr="9"/></track></annotations>';
    const tracks = await folderOf('cvat-video', { 'frame_0.jpg': '', 'annotations.xml': video });
    await expect(open(tracks)).rejects.toMatchObject({ code: 'E_LABEL_LAYOUT' });
  });

  test('Supervisely: a mask is a deflated PNG file', async () => {
    const png = await sharp({ create: { width: 12, height: 7, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const bitmap = { data: deflateSync(png).toString('base64'), origin: [5, 6] };
    const objects = [{ classTitle: 'cat', geometryType: 'bitmap', bitmap }];
    const folder = await folderOf('supervisely', {
      'set/img/a.jpg': '',
      'set/ann/a.jpg.json': JSON.stringify({ tags: [], size: { height: 48, width: 64 }, objects }),
      'meta.json': '{"classes":[],"tags":[]}',
    });
    expect(await open(folder)).toMatchObject({ format: 'supervisely', objects: ['cat 5 6 17 13'] });
  });

  test('WIDER FACE: an image without faces, and an invalid face', async () => {
    const text =
      'crowd/a.jpg\n2\n3 4 10 12 0 0 0 0 0 0 \n30 4 10 12 2 0 0 1 0 0 \ncrowd/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n';
    const folder = await folderOf('wider', {
      ...{ 'WIDER_train/images/crowd/a.jpg': '', 'WIDER_train/images/crowd/b.jpg': '' },
      'wider_face_split/wider_face_train_bbx_gt.txt': text,
    });
    expect(await open(folder)).toMatchObject({
      format: 'widerface',
      objects: ['face 3 4 13 16', 'face 30 4 40 16 ignored'],
    });
  });

  test('KITTI: what nobody looked at is left out', async () => {
    const text =
      'Car 0.00 0 -1.58 3.5 4 13 16 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\nDontCare -1 -1 -10 30 4 40 16 -1 -1 -1 -1000 -1000 -1000 -10\n';
    const folder = await folderOf('kitti', { 'image_2/000001.jpg': '', 'label_2/000001.txt': text });
    const { format, objects, dropped } = await open(folder);
    expect([format, objects, dropped]).toEqual(['kitti', ['Car 4 4 13 16'], { 'DontCare region, left out': 1 }]);
  });

  test('DOTA and the rotated boxes of Roboflow are no words of text; a difficult object is ignored', async () => {
    const text =
      'imagesource:GoogleEarth\ngsd:0.12\n4 4 14 4 14 16 4 16 large-vehicle 0\n30.5 4 40 8 38 16 28 12 ship 1\n';
    const folder = await folderOf('dota', { 'images/p1.jpg': '', 'labelTxt/p1.txt': text });
    expect(await open(folder)).toMatchObject({
      format: 'dota',
      objects: ['large-vehicle 4 4 14 16', 'ship 28 4 40 16 ignored'],
    });
    expect((await recognise(folder)).chosen.kind).toBe('boxes');
  });

  test('VisDrone is no text either; what it does not score is ignored', async () => {
    const text = '3,4,10,12,1,4,0,0\n30,4,10,12,0,1,0,1\n1,1,5,5,0,0,0,0\n';
    const folder = await folderOf('visdrone', { 'images/a.jpg': '', 'annotations/a.txt': text });
    const { format, objects, dropped } = await open(folder);
    expect([format, objects]).toEqual(['visdrone', ['car 3 4 13 16', 'pedestrian 30 4 40 16 ignored']]);
    expect(dropped).toEqual({ 'ignored region, left out': 1 });
  });

  test('MOT: a sequence has its frames in img1, also those without an object', async () => {
    const folder = await folderOf('mot', {
      ...{ 'train/S1/img1/000001.jpg': '', 'train/S1/img1/000002.jpg': '', 'train/S1/img1/000003.jpg': '' },
      'train/S1/gt/gt.txt': '1,1,3,4,10,12,1,1,1.0\n3,1,5,4,10,12,0,3,0.5\n',
      'train/S1/det/det.txt': '1,-1,3,4,10,12,0.9\n',
    });
    expect(await open(folder)).toMatchObject({
      format: 'mot',
      objects: ['pedestrian 3 4 13 16', 'car 5 4 15 16 ignored'],
    });
    const { train } = (await recognise(folder)).chosen.data;
    const wrong = await folderOf('mot', { 'train/S1/gt/gt.txt': '9,1,3,4,10,12,1,1,1.0\n' });
    expect(train).toBe('train/S1/gt/gt.txt');
    await expect(open(wrong)).rejects.toMatchObject({
      code: 'E_LABEL_ROW',
      problems: [{ where: { line: 1 } }, { where: { line: 1 } }],
    });
  });

  test('BDD100K: lanes have no box', async () => {
    const box2d = { x1: 3, y1: 4, x2: 13, y2: 16 };
    const labels = [
      { category: 'car', box2d },
      { category: 'lane', poly2d: [] },
    ];
    const folder = await folderOf('bdd', {
      'images/a.jpg': '',
      'labels/bdd_train.json': JSON.stringify([{ name: 'a.jpg', labels }]),
    });
    const { format, objects, dropped } = await open(folder);
    expect([format, objects]).toEqual(['bdd100k', ['car 3 4 13 16']]);
    expect(dropped).toMatchObject({ 'label without a box, left out': 1 });
  });

  test('YOLO with key points that data.yaml does not tell of', async () => {
    const folder = await folderOf('pose', {
      ...{ 'images/a.jpg': '', 'data.yaml': 'train: images\nnames: [cat]\n' },
      'labels/a.txt': '0 0.5 0.5 0.25 0.5 0.4 0.5 2 0.6 0.5 1\n',
    });
    expect(await open(folder)).toMatchObject({ format: 'yolo', objects: ['cat 24 12 40 36'] });
  });
});
