import { describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { checkData } from '../../src/data/check/checkData.js';
import { openDatasets, type DataOptions } from '../../src/data/dataset.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
const picture = () => sharp({ create: { width: 40, height: 30, channels: 3, background: '#888' } }).jpeg();

/** Writes two images and the files of the annotations, by their paths. */
async function folder(name: string, images: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(dir, name);
  for (const path of [`${images}/x`, ...Object.keys(files)]) mkdirSync(join(root, path, '..'), { recursive: true });
  for (const image of ['img_1.jpg', 'img_2.jpg']) await picture().toFile(join(root, images, image));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  return root;
}

const cocoJson = (annotations: readonly object[]) =>
  JSON.stringify({
    images: [1, 2].map((id) => ({ id, file_name: `img_${id}.jpg`, width: 40, height: 30 })),
    categories: [{ id: 1, name: 'dog' }],
    annotations: annotations.map((annotation, i) => ({ id: i + 1, image_id: 1, category_id: 1, ...annotation })),
  });
const object = { bbox: [1, 1, 9, 9], area: 81, iscrowd: 0 };
const vocXml = (object: string) =>
  `<annotation><size><width>40</width><height>30</height></size><object><name>dog</name>${object}</object></annotation>`;
const bndbox = '<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>';

async function coco(name: string, train: readonly object[]): Promise<DataOptions> {
  const files = { 'train.json': cocoJson(train), 'val.json': cocoJson([object]) };
  const part = (annotations: string) => ({ annotations, images: 'images' });
  const root = await folder(name, 'images', files);
  const data = { format: 'coco', root, train: part('train.json'), val: part('val.json'), invalidBoxes: 'drop' };
  return data as unknown as DataOptions;
}

async function voc(name: string, train: string): Promise<DataOptions> {
  const root = await folder(name, 'JPEGImages', {
    'Annotations/img_1.xml': vocXml(train),
    'Annotations/img_2.xml': vocXml(bndbox),
    'ImageSets/Main/train.txt': 'img_1\n',
    'ImageSets/Main/val.txt': 'img_2\n',
  });
  const data = { format: 'voc', root, train: 'train', val: 'val', categories: ['dog'], invalidBoxes: 'drop' };
  return data as unknown as DataOptions;
}

async function icdar(name: string, train: string, characters = 'split'): Promise<DataOptions> {
  const files = { 'gt/gt_img_1.txt': train, 'gt/gt_img_2.txt': train, 'val/gt_img_1.txt': '1,1,9,1,9,9,1,9,word' };
  const root = await folder(name, 'images', files);
  const part = (truth: string) => ({ images: 'images', truth });
  const data = { format: 'icdar', root, train: part('gt'), val: part('val'), characters };
  return { ...data, transcriptions: true, crops: 1 } as DataOptions;
}

test('words whose characters are all unknown are nothing to learn either; some are counted', async () => {
  const words = '1,1,9,1,9,9,1,9,a\n11,1,19,1,19,9,11,9,';
  const masked = await icdar('unknown', words, 'mask');
  const message = expect.stringMatching(/^none of the 4 words of train has character boxes/) as unknown;
  await expect(openDatasets(masked)).rejects.toMatchObject({ problems: [{ code: 'E_DATA_NO_OBJECT', message }] });
  await expect(openDatasets(await icdar('pseudo', words, 'pseudo'))).resolves.toBeDefined();
  const { train } = await openDatasets(await icdar('split', words));
  expect(train.dropped).toEqual({ 'words without character boxes, masked in the loss': 2 });
});

describe('a training part without an object to learn is an error, of a training and of the check', () => {
  test.each([
    ['COCO without annotations', () => coco('empty', []), ''],
    ['COCO with crowds alone', () => coco('crowds', [{ ...object, iscrowd: 1 }]), ' (ignored: 1)'],
    ['COCO whose boxes were dropped', () => coco('dropped', [{ ...object, bbox: [1, 1, 0, 9] }]), ' (box'],
    ['VOC with difficult objects alone', () => voc('hard', `<difficult>1</difficult>${bndbox}`), ' (ignored: 1)'],
    ['VOC whose boxes were dropped', () => voc('flat', bndbox.replace('<xmax>9', '<xmax>0')), ' (box'],
    ['text without words', () => icdar('silent', ''), ''],
    ['text with don’t-care words alone', () => icdar('masked', '1,1,9,1,9,9,1,9,###'), ' (ignored: 2)'],
    ['text whose words were left out', () => icdar('outside', '90,90,99,90,99,99,90,99,a'), ' (word outside'],
  ])('%s', async (_name, make, why) => {
    const data = await make();
    const message = expect.stringMatching(/^none of the \d images of .* has an object to learn/) as unknown;
    await expect(openDatasets(data)).rejects.toMatchObject({ problems: [{ code: 'E_DATA_NO_OBJECT', message }] });
    const { remarks, trainable } = await checkData(data, { size: [64, 64], batch: 1 });
    const errors = remarks.filter(({ level }) => level === 'error');
    expect(errors).toMatchObject([{ code: 'E_DATA_NO_OBJECT', part: 'train' }]);
    expect(errors[0]!.message).toContain(`has an object to learn${why}`);
    expect(trainable).toBe(false);
  });
});
