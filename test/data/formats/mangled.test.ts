import { describe, expect, test } from '@jest/globals';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { initRecipe } from '../../../src/init/initRecipe.js';
import { folderOf } from './oddFolder.js';
import { openTraining } from './openTraining.js';

const labelme = (name: string): string =>
  JSON.stringify({
    imagePath: `${name}.jpg`,
    imageData: null,
    shapes: [{ label: 'cat', shape_type: 'rectangle', points: [[2, 3], [12, 15]] }], // prettier-ignore
  });
const xml = (object: string): string => `<annotation><object><name>cat</name>${object}</object></annotation>`;
const CAT = xml('<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>12</xmax><ymax>15</ymax></bndbox>');
const LINE = '0 0.5 0.5 0.25 0.5\n';

/** The names of the images of each part that a folder was recognised to have. */
async function partsOf(folder: string): Promise<Record<string, string[]>> {
  const [best] = await detectLayouts(folder);
  const { data } = best!;
  const opened = await openDatasets({ ...data, splitSeed: 1 } as unknown as DataOptions);
  return Object.fromEntries(
    (['train', 'val', 'test'] as const).flatMap((part) => {
      const files = opened[part]?.annotations.map(({ file }) => file.slice(folder.length + 1));
      return files ? [[part, files.sort()]] : [];
    }),
  );
}

describe('folders of parts inside of each other', () => {
  test.each([
    ['labelme', 'json', labelme],
    ['voc', 'xml', () => CAT],
    ['yolo', 'txt', () => LINE],
  ])('%s: what lies in val is no part of the training, and two folders called train are one part', async (...kind) => {
    const [format, ending, labels] = kind;
    const inside = await folderOf(`${format} inside`, {
      ...{ 'a.jpg': '', [`a.${ending}`]: labels('a'), 'val/b.jpg': '', [`val/b.${ending}`]: labels('b') },
    });
    expect(await partsOf(inside)).toEqual({ train: ['a.jpg'], val: ['val/b.jpg'] });
    const files = ['one/train', 'two/train', 'one/val', 'two/val'].flatMap((place, i): [string, string][] => [
      [`${place}/${i}.jpg`, ''],
      [`${place}/${i}.${ending}`, labels(String(i))],
    ]);
    const beside = await folderOf(`${format} beside`, Object.fromEntries(files));
    const [train, val] = [['one/train/0.jpg', 'two/train/1.jpg'], ['one/val/2.jpg', 'two/val/3.jpg']]; // prettier-ignore
    expect(await partsOf(beside)).toEqual({ train, val });
  });

  test('a folder of labels that belongs to no part is named', async () => {
    const files = ['train', 'val', 'more'].flatMap((place): [string, string][] => [
      [`${place}/1.jpg`, ''],
      [`${place}/1.xml`, CAT],
    ]);
    const [best] = await detectLayouts(await folderOf('more', Object.fromEntries(files)));
    expect(best).toMatchObject({ parts: ['train', 'val'], unread: ['more'] });
  });
});

describe('tables that say in each row to which part it belongs', () => {
  test('are read to their end', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `train,a.jpg,cat,${i % 40},2,${(i % 40) + 9},15`);
    const text = ['split,filename,class,xmin,ymin,xmax,ymax', ...rows, 'val,b.jpg,cat,1,2,9,15'].join('\n');
    const folder = await folderOf('long table', { 'a.jpg': '', 'b.jpg': '', 'all.csv': text });
    expect(await partsOf(folder)).toEqual({ train: ['a.jpg'], val: ['b.jpg'] });
  });

  test('may have a class for each image', async () => {
    const text = 'filepaths,labels,data set\na.jpg,cat,train\nb.jpg,dog,train\nc.jpg,cat,valid\nd.jpg,dog,test\n';
    const images = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.jpg`, '']));
    const folder = await folderOf('birds', { ...images, 'birds.csv': text });
    expect(await partsOf(folder)).toEqual({ train: ['a.jpg', 'b.jpg'], val: ['c.jpg'], test: ['d.jpg'] });
  });
});

describe('YOLO', () => {
  test.each([
    ['[007, null, True]', ['007', 'null', 'True']],
    ['classes.txt', ['x', 'y', 'z']],
  ])('names of classes are as they are written: %s', async (names, expected) => {
    const files = { 'images/a.jpg': '', 'labels/a.txt': LINE, 'classes.txt': 'x\ny\nz\n' };
    const folder = await folderOf(`names ${names}`, { ...files, 'data.yaml': `train: images\nnames: ${names}\n` });
    const [best] = await detectLayouts(folder);
    const { train } = await openDatasets({ ...best!.data, val: best!.data['train'] } as unknown as DataOptions);
    expect(train.categories.map(({ name }) => name)).toEqual(expected);
  });

  test('numbers may have decimal commas, and label files the prefix of Label Studio', async () => {
    const files = { 'images/a.jpg': '', 'labels/0d5b7a9c-a.txt': LINE.replaceAll('.', ','), 'classes.txt': 'cat\n' };
    expect(await openTraining(await folderOf('commas', files))).toMatchObject({
      objects: ['cat 24 12 40 36'],
      dropped: { 'number with a decimal comma': 1 },
    });
  });

  const twoLists = { 'train/a.jpg': '', 'train/a.txt': LINE, 'val/b.jpg': '', 'val/b.txt': LINE };

  test('classes are those of the list in the folder of the labels, or above it', async () => {
    const lists = { 'train/classes.txt': 'cat\ndog\n', 'val/classes.txt': 'dog\ncat\n' };
    const folder = await folderOf('two lists', { ...twoLists, ...lists });
    const [best] = await detectLayouts(folder);
    const { train, val } = await openDatasets(best!.data as unknown as DataOptions);
    expect(train.categories.map(({ name }) => name)).toEqual(['cat', 'dog']);
    expect([train, val].map(({ annotations }) => annotations[0]!.classes)).toEqual([[0], [1]]);
    const yaml = (names: string): string => `train: ../train/images\nval: ../val/images\nnames: ${names}\n`;
    const sets = ['one', 'two'].flatMap((set): [string, string][] => [
      [`${set}/data.yaml`, yaml(set === 'one' ? '[cat, dog]' : '[dog, cat]')],
      [`${set}/train/images/${set}.jpg`, ''],
      [`${set}/train/labels/${set}.txt`, LINE],
    ]);
    const { format, objects } = await openTraining(await folderOf('two sets', Object.fromEntries(sets)));
    expect([format, objects]).toEqual(['yolo', ['cat 24 12 40 36', 'dog 24 12 40 36']]);
  });

  test('two images of one label file are counted', async () => {
    const files = { 'a.jpg': '', 'a.txt': LINE, 'b.jpg': '', 'b.txt': LINE, 'classes.txt': 'cat' };
    const folder = await folderOf('shared label', files);
    await copyFile(join(folder, 'a.jpg'), join(folder, 'a.jpeg'));
    const { dropped } = await openTraining(folder);
    expect(dropped).toMatchObject({ 'image that shares its label file with another one of its name': 1 });
  });

  test('a test part without labels is left out by init', async () => {
    const parts = ['train', 'val', 'test'].flatMap((part): [string, string][] => [
      [`${part}/images/${part}.jpg`, ''],
      ...(part === 'test' ? [] : [[`${part}/labels/${part}.txt`, LINE] as [string, string]]),
    ]);
    const yaml = 'train: train/images\nval: val/images\ntest: test/images\nnames: [cat]\n';
    const folder = await folderOf('unlabelled test', { ...Object.fromEntries(parts), 'data.yaml': yaml });
    const { recipe, text } = await initRecipe(folder, { file: join(folder, 'recipe.yaml') });
    expect(recipe.data).toMatchObject({ test: null });
    expect(text).toContain('its images have no labels');
  });
});

describe('Hugging Face', () => {
  const rows = (text: string) => folderOf(`hub ${text.length}`, { 'train/a.jpg': '', [`train/metadata.${text.startsWith('{') ? 'jsonl' : 'csv'}`]: text }); // prettier-ignore

  test.each([
    ['boxes and labels in columns of their own', '{"file_name":"a.jpg","bboxes":[[2,3,10,12]],"labels":["cat"]}'],
    ['a text of Python', `file_name,objects\na.jpg,"{'bbox': [[2, 3, 10, 12]], 'categories': ['cat']}"\n`],
  ])('reads %s', async (_, text) => {
    expect((await openTraining(await rows(text))).objects).toEqual(['cat 2 3 12 15']);
  });

  test('a class may have an apostrophe', async () => {
    const text = `file_name,objects\na.jpg,"{""bbox"": [[2, 3, 10, 12]], ""categories"": [""cat's""]}"\n`;
    expect((await openTraining(await rows(text))).objects).toEqual(["cat's 2 3 12 15"]);
  });

  test('an entry that is no object is an error', async () => {
    const text = '{"file_name":"a.jpg","objects":[{"bbox":[2,3,10,12],"label":"cat"},7]}';
    await expect(openTraining(await rows(text))).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
  });
});

describe('Label Studio', () => {
  const value = { x: 10, y: 10, width: 50, height: 50, rotation: 0, original_width: 64, original_height: 48 };
  const task = (name: string, more: object) => ({ image: `/data/upload/1/${name}.jpg`, annotation_id: 1, lead_time: 2, ...more }); // prettier-ignore

  test('the minimal export: boxes of every control, and a task in which nothing is', async () => {
    const both = { box: [{ ...value, rectanglelabels: ['cat'] }], other: [{ ...value, rectanglelabels: ['dog'] }] };
    const text = JSON.stringify([task('a', both), task('b', {})]);
    const folder = await folderOf('minimal', { 'a.jpg': '', 'b.jpg': '', 'min.json': text });
    expect((await openTraining(folder)).objects).toEqual(['cat 6 5 38 29', 'dog 6 5 38 29']);

    const [best] = await detectLayouts(folder);
    const { train } = await openDatasets({ ...best!.data, val: best!.data['train'] } as unknown as DataOptions);
    expect(train.annotations).toHaveLength(2);
  });

  test('tasks with predictions alone are named where no other is', async () => {
    const result = [{ type: 'rectanglelabels', value: { ...value, rectanglelabels: ['cat'] } }];
    const tasks = [{ data: { image: 'a.jpg' }, annotations: [], predictions: [{ result }] }];
    const folder = await folderOf('predictions', { 'a.jpg': '', 'p.json': JSON.stringify(tasks) });
    await expect(openTraining(folder)).rejects.toMatchObject({
      code: 'E_DATA_EMPTY',
      message: expect.stringContaining('predictions alone'),
    });
  });
});

test('VOC: a rotated box of roLabelImg', async () => {
  const box = '<robndbox><cx>20</cx><cy>20</cy><w>10</w><h>4</h><angle>1.5707963</angle></robndbox>';
  const folder = await folderOf('rotated voc', { 'a.jpg': '', 'a.xml': xml(box) });
  expect(await openTraining(folder)).toMatchObject({
    objects: ['cat 18 15 22 25'],
    dropped: { 'rotated box read as the box around it': 1 },
  });
});

test.each(['middles', 'left top corners'])(
  'boxes that all fit only if their places are their %s are an error',
  async (fit) => {
    const boxes = Array.from({ length: 6 }, (_, i): [number, number] => [i % 2, i]);
    const createMl = [{
    image: 'a.jpg',
    annotations: boxes.map(([x, y]) => ({ label: 'cat', coordinates: { x, y, width: 20, height: 20 } })),
  }]; // prettier-ignore
    const coco = {
      images: [{ id: 1, file_name: 'a.jpg', width: 64, height: 48 }],
      annotations: boxes.map(([x, y], id) => ({ id, image_id: 1, category_id: 1, bbox: [53 - x, 37 - y, 20, 20] })),
      categories: [{ id: 1, name: 'cat' }],
    };
    const folder = await folderOf(fit, {
      'a.jpg': '',
      'labels.json': JSON.stringify(fit === 'middles' ? coco : createMl),
    });
    await expect(openTraining(folder)).rejects.toMatchObject({
      problems: [{ message: expect.stringContaining(`their places are those of their ${fit}`) }],
    });
  },
);

test('V7 1.0 and the older export of Labelbox', async () => {
  const points = [[2, 3], [12, 3], [12, 15]].map(([x, y]) => ({ x, y })); // prettier-ignore
  const image = { filename: 'a.jpg', original_filename: 'a.jpg', width: 64, height: 48, path: '/' };
  const annotations = [{ name: 'cat', polygon: { path: points } }, { name: 'day', tag: {} }, { name: 'dog', ellipse: { center: { x: 20, y: 20 }, radius: { x: 8, y: 4 }, angle: Math.PI / 2 } }]; // prettier-ignore
  const darwin = await folderOf('darwin 1', { 'a.jpg': '', 'a.json': JSON.stringify({ dataset: 'd', image, annotations }) }); // prettier-ignore
  expect((await openTraining(darwin)).objects).toEqual(['cat 2 3 12 15', 'dog 16 12 24 28']);
  const objects = [{ title: 'cat', value: 'c', bbox: { left: 2, top: 3, width: 10, height: 12 } }, { title: 'dog', instanceURI: 'x' }]; // prettier-ignore
  const rows = [
    { 'Labeled Data': 'https://host/a.jpg', Label: { objects } },
    { 'Labeled Data': 'b.jpg', Label: {} },
  ];
  const labelbox = await folderOf('labelbox 1', { 'a.jpg': '', 'x.json': JSON.stringify(rows) });
  expect(await openTraining(labelbox)).toMatchObject({
    objects: ['cat 2 3 12 15'],
    dropped: { 'data row without a label, left out': 1, 'object without a box (instanceURI), left out': 1 },
  });
});

test('BDD100K with a file for each image', async () => {
  const objects = [
    { category: 'car', box2d: { x1: 3, y1: 4, x2: 13, y2: 16 } },
    { category: 'lane', poly2d: [] },
  ];
  const text = JSON.stringify({ name: 'a', frames: [{ timestamp: 1, objects }] });
  const folder = await folderOf('bdd files', { 'images/a.jpg': '', 'labels/a.json': text });
  expect(await openTraining(folder)).toMatchObject({ format: 'bdd100k', objects: ['car 3 4 13 16'] });
});

test('a GIF file is an image, and one of a kind that cannot be read is named', async () => {
  const folder = await folderOf('gif', { 'b.jpg': '', 'a.txt': LINE, 'b.txt': LINE, 'c.heic': 'x', 'c.txt': LINE, 'classes.txt': 'cat' }); // prettier-ignore
  await writeFile(join(folder, 'a.gif'), await sharp(await readFile(join(folder, 'b.jpg'))).gif().toBuffer()); // prettier-ignore
  const [best] = await detectLayouts(folder);
  expect(best!.foreign).toEqual(['c.heic']);
  expect((await openTraining(folder)).objects).toHaveLength(2);
});

describe('COCO', () => {
  const file = (...boxes: number[][]): string =>
    JSON.stringify({
      images: boxes.map((_, id) => ({ id, file_name: '1.jpg', width: 64, height: 48 })),
      annotations: boxes.map((bbox, id) => ({ id, image_id: id, category_id: 1, bbox, area: 120, iscrowd: 0 })),
      categories: [{ id: 1, name: 'cat' }],
    });

  test('names without their folders, which lead to one file, are an error unless the boxes are the same', async () => {
    const images = { 'a/1.jpg': '', 'b/1.jpg': '' };
    const other = await folderOf('bare', { ...images, 'all.json': file([2, 3, 10, 12], [4, 3, 10, 12]) });
    await expect(openTraining(other)).rejects.toMatchObject({ code: 'E_COCO_IMAGE' });
    const same = await folderOf('bare same', { ...images, 'all.json': file([2, 3, 10, 12], [2, 3, 10, 12]) });
    expect(await openTraining(same)).toMatchObject({ objects: ['cat 2 3 12 15'], dropped: { 'image listed twice': 1 } }); // prettier-ignore
  });

  test('a mistake in JSON has its line', async () => {
    const text = file([2, 3, 10, 12]).replace('"area":120', '"area":\n\nNaN');
    const folder = await folderOf('nan', { 'a/1.jpg': '', 'all.json': text });
    await expect(openTraining(folder)).rejects.toMatchObject({ problems: [{ where: { line: 3 } }] });
  });
});

test('CVAT: several files of one part have the labels of all of them', async () => {
  const xml = (name: string, label: string): string =>
    `<annotations><meta><task><labels><label><name>${label}</name></label></labels></task></meta><image id="0" name="${name}" width="64" height="48"><box label="${label}" xtl="2" ytl="3" xbr="12" ybr="15"/></image></annotations>`;
  const folder = await folderOf('two tasks', { 'a.jpg': '', 'b.jpg': '', '1.xml': xml('a.jpg', 'cat'), '2.xml': xml('b.jpg', 'dog') }); // prettier-ignore
  expect((await openTraining(folder)).objects).toEqual(['cat 2 3 12 15', 'dog 2 3 12 15']);
});
