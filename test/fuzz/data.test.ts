import { beforeAll, describe, test } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { openDatasets, type DataOptions } from '../../src/data/dataset.js';
import { decodeImage, readImageSize } from '../../src/data/image/image.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import * as fc from '../fastCheck.js';
import { damaged, isHandled } from './damage.js';

const root = temporaryFolder();
const runs = { numRuns: 60 };

function place(path: string, content: string | Uint8Array): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

beforeAll(async () => {
  const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  for (const folder of ['coco/images', 'voc/JPEGImages', 'csv', 'icdar/images'])
    for (const name of ['a', 'b']) place(`${folder}/${name}.jpg`, picture);
});

/** A data set with one file to damage. */
const sets: readonly (readonly [name: string, file: string, content: string | Uint8Array, data: DataOptions])[] = [
  [
    'COCO',
    'coco/train.json',
    JSON.stringify({
      images: [
        { id: 1, file_name: 'a.jpg', width: 40, height: 30 },
        { id: 2, file_name: 'b.jpg' },
      ],
      annotations: [
        { id: 1, image_id: 1, category_id: 7, bbox: [1, 2, 10, 12], area: 120, iscrowd: 0, segmentation: [[1, 2, 3, 4, 5, 6]] },
        { id: 2, image_id: 2, category_id: 8, bbox: [0, 0, 40, 30], iscrowd: 1, segmentation: { counts: [1, 2], size: [30, 40] } },
      ],
      categories: [{ id: 7, name: 'dog' }, { id: 8, name: 'cat' }],
    }), // prettier-ignore
    {
      format: 'coco',
      root: join(root, 'coco'),
      train: { annotations: 'train.json', images: 'images' },
      val: { annotations: 'train.json', images: 'images' },
    },
  ],
  [
    'VOC',
    'voc/Annotations/a.xml',
    '<?xml version="1.0" encoding="utf-8"?>\n<annotation><filename>a.jpg</filename><size><width>40</width><height>30</height><depth>3</depth></size><object><name>dog</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>19.5</ymax></bndbox></object></annotation>\n',
    { format: 'voc', root: join(root, 'voc'), train: 'train', val: 'train' },
  ],
  [
    'a list of VOC',
    'voc/ImageSets/Main/train.txt',
    'a\nb 1\n',
    { format: 'voc', root: join(root, 'voc'), train: 'train', val: 'train' },
  ],
  [
    'a table',
    'csv/train.csv',
    'file,label\na.jpg,dog\n"b.jpg","cat, black"\n',
    { format: 'csv', root: join(root, 'csv'), train: 'train.csv', val: 'train.csv', splitSeed: 1 },
  ],
  [
    'ICDAR',
    'icdar/gt/gt_a.txt',
    '1,2,20,2,20,12,1,12,word\n5,5,9,5,9,9,5,9,###\n',
    {
      format: 'icdar', root: join(root, 'icdar'), train: { images: 'images', truth: 'gt' }, val: { every: 2 },
      characters: 'split', transcriptions: true, crops: 1,
    }, // prettier-ignore
  ],
  [
    'a zip of ICDAR',
    'icdar/gt.zip',
    zipSync({
      'gt_a.txt': Buffer.from('1,2,20,2,20,12,1,12,word\n'),
      'x/gt_b.txt': [Buffer.from('1,2,20,2,20,12,1,12,two\n'.repeat(20)), { level: 0 }],
    }),
    {
      format: 'icdar', root: join(root, 'icdar'), train: { images: 'images', truth: 'gt.zip' }, val: { every: 2 },
      characters: 'split', transcriptions: true, crops: 1,
    }, // prettier-ignore
  ],
];

describe.each(sets)('%s', (_, file, content, data) => {
  test('ends with data or an error of ours, whatever is changed', async () => {
    for (const [, other, sound] of sets) place(other, sound);
    place('voc/Annotations/b.xml', readFileSync(join(root, 'voc/Annotations/a.xml')));
    place('icdar/gt/gt_b.txt', '1,2,20,2,20,12,1,12,other\n');
    await openDatasets(data);
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await fc.assert(
      fc.asyncProperty(damaged(bytes), fc.boolean(), async (bad, drop) => {
        place(file, bad);
        const policies = drop ? { brokenImages: 'drop', invalidBoxes: 'drop' } : {};
        await isHandled(() => openDatasets({ ...data, ...policies } as DataOptions));
      }),
      runs,
    );
  });
});

test.each(['jpeg', 'png', 'webp', 'tiff', 'gif'] as const)('a damaged %s is decoded, or refused', async (format) => {
  const noise = Uint8Array.from({ length: 24 * 16 * 3 }, (_, i) => (i * 7919) >> 3);
  const bytes = await sharp(noise, { raw: { width: 24, height: 16, channels: 3 } }).toFormat(format).toBuffer(); // prettier-ignore
  let count = 0;
  await fc.assert(
    fc.asyncProperty(damaged(bytes), async (bad) => {
      const file = join(root, `${format}-${count++}`); // how a file stores its pixels is remembered by its name
      await writeFile(file, bad);
      await isHandled(async () => {
        const image = await readImageSize(file);
        if (image.width * image.height > 1e6) return;
        const region = { left: 0, top: 0, ...image };
        const target = { left: 0, top: 0, width: 16, height: 16 };
        await decodeImage(file, { image, region, target, flip: false, width: 16, height: 16 });
      });
      await rm(file);
    }),
    runs,
  );
});
