import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { openDatasets, type DataOptions, type Datasets } from '../../src/data/dataset.js';
import { openedBefore } from '../../src/data/scan/openedCache.js';
import { forgetScans } from '../../src/data/scan/scanCache.js';
import { temporaryFolder } from './temporaryFolder.js';

const home = temporaryFolder();
const root = join(home, 'data');
const scans = join(home, 'tfjs-finetune', 'scans');
const COUNT = 520; // images, each with a file of labels: more files than are worth an entry
const cacheBefore = process.env['XDG_CACHE_HOME'];

const write = (path: string, content: string | Buffer): void => {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
};
const kept = (): string[] => readdirSync(scans).filter((name) => name.endsWith('.opened'));
/** The data of the parts as plain values. */
const plain = ({ train, val, test: held, categories, divided }: Datasets): unknown => ({
  parts: [train, val, held].map((part) => part && { ...part, toCoco: part.toCoco() }),
  categories,
  divided,
});
/** Opens a data set as a new process does. */
const open = async (data: DataOptions): Promise<unknown> => {
  forgetScans();
  return plain(await openDatasets(data));
};

let picture: Buffer;
beforeAll(async () => {
  process.env['XDG_CACHE_HOME'] = home;
  picture = await sharp({ create: { width: 8, height: 6, channels: 3, background: '#789' } }).png().toBuffer(); // prettier-ignore
});
afterAll(() => {
  if (cacheBefore === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cacheBefore;
});
const now = Date.now;
beforeEach(() => {
  jest.spyOn(Date, 'now').mockImplementation(() => now() + 60_000); // the files are not of this instant
});
afterEach(() => {
  jest.restoreAllMocks();
  forgetScans();
  rmSync(join(home, 'tfjs-finetune'), { recursive: true, force: true });
  rmSync(root, { recursive: true, force: true });
});

const yolo = { format: 'yolo', root, split: { val: 0.2, test: 0.1, by: 'none', seed: 1 } } as const;
function writeYolo(): void {
  for (let i = 0; i < COUNT; i++) {
    write(`data/images/${i}.png`, picture);
    write(`data/labels/${i}.txt`, i === 7 ? '' : `${i % 2} 0.5 0.5 0.4 0.${(i % 5) + 2}\n1 0.9 0.5 0.4 0.4\n`);
  }
  write('data/data.yaml', 'names: [a, b]\ntrain: images\n');
}

/** Images in COCO's layout, with a crowd, an ignored object and large ids. */
function writeCoco(): void {
  for (let i = 0; i < 2 * COUNT; i++) write(`data/images/${i}.png`, picture);
  for (const [part, first] of [
    ['train', 0],
    ['val', COUNT],
  ] as const)
    // prettier-ignore
    write(
      `data/${part}.json`,
      JSON.stringify({
        images: Array.from({ length: COUNT }, (_, i) => ({ id: 2 ** 40 + i, file_name: `${first + i}.png`, width: 8, height: 6 })), // prettier-ignore
        categories: [{ id: 9, name: 'ü' }, { id: 90, name: 'b' }], // prettier-ignore
        annotations: Array.from({ length: COUNT }, (_, i) => ({
          ...{ id: i, image_id: 2 ** 40 + i, category_id: i % 3 === 0 ? 90 : 9, bbox: [0.1, 1, 5.3, 4.7], area: 24.9 },
          ...(i % 7 === 0 ? { iscrowd: 1 } : i % 7 === 1 ? { iscrowd: 0, ignore: 1 } : { iscrowd: 0 }),
        })),
      }),
    );
}

function writeClasses(): void {
  for (let i = 0; i < 2 * COUNT; i++) write(`data/${i % 3 === 0 ? 'cat' : 'dog'}/${i}.png`, picture);
}

const part = (name: string) => ({ annotations: `${name}.json`, images: 'images' });
const layouts: readonly (readonly [string, DataOptions, () => void])[] = [
  ['YOLO that is divided', yolo, writeYolo],
  ['COCO', { format: 'coco', root, train: part('train'), val: part('val') }, writeCoco],
  ['class folders', { format: 'imageFolder', root, split: yolo.split } as unknown as DataOptions, writeClasses],
];

test.each(layouts)('a second start has the same data: %s', async (_, data, writeAll) => {
  writeAll();
  const first = await open(data);
  expect(kept()).toHaveLength(1);
  expect(openedBefore(data)!.found).toBeDefined();
  expect(await open(data)).toEqual(first);
});

describe('what has changed is read again', () => {
  const changes: readonly (readonly [string, () => void])[] = [
    ['a label of the same size and time', () => {
      write('data/labels/9.txt', readFileSync(join(root, 'labels/9.txt'), 'utf8').replace(/^1/, '0'));
      utimesSync(join(root, 'labels/9.txt'), 1e9, 1e9);
    }],
    ['a new image with labels', () => {
      write('data/images/new.png', picture);
      write('data/labels/new.txt', '0 0.5 0.5 0.4 0.4\n');
    }],
    ['a label file that was removed', () => { rmSync(join(root, 'labels/3.txt')); }],
    ['an image that was renamed', () => { renameSync(join(root, 'images/3.png'), join(root, 'images/x.png')); }],
    ['the names', () => { write('data/data.yaml', 'names: [a, c]\ntrain: images\n'); }],
  ]; // prettier-ignore
  test.each(changes)('%s', async (_, change) => {
    writeYolo();
    utimesSync(join(root, 'labels/9.txt'), 1e9, 1e9);
    const first = await open(yolo);
    expect(openedBefore(yolo)!.found).toBeDefined();
    change();
    expect(openedBefore(yolo)!.found).toBeUndefined();
    const second = await open(yolo);
    expect(second).not.toEqual(first);
    rmSync(scans, { recursive: true });
    expect(await open(yolo)).toEqual(second);
  });

  test('options', async () => {
    writeYolo();
    await open(yolo);
    expect(openedBefore({ ...yolo, split: { ...yolo.split, seed: 2 } } as DataOptions)!.found).toBeUndefined();
    expect(openedBefore({ ...yolo, size: 64 } as DataOptions)!.found).toBeDefined(); // which says nothing about the labels
  });

  test('labels beside the folder, which come later', async () => {
    for (let i = 0; i < 2 * COUNT; i++) write(`data/${i}.png`, picture);
    for (let i = 0; i < 20; i++) write(`data/${i}.txt`, '0 0.5 0.5 0.4 0.4\n');
    const data = { ...yolo, train: '.' } as DataOptions;
    await open(data);
    expect(openedBefore(data)!.found).toBeDefined();
    for (let i = 0; i < 30; i++) write(`labels/${i}.txt`, '0 0.5 0.5 0.4 0.4\n');
    expect(openedBefore(data)!.found).toBeUndefined();
    rmSync(join(home, 'labels'), { recursive: true });
  });
});

test('what lies elsewhere, or had a problem, or changes in this instant is not remembered', async () => {
  writeYolo();
  renameSync(join(root, 'images'), join(home, 'images'));
  write('data/data.yaml', 'names: [a, b]\ntrain: train.txt\n');
  write('data/train.txt', Array.from({ length: COUNT }, (_, i) => join(home, `images/${i}.png`)).join('\n'));
  renameSync(join(root, 'labels'), join(home, 'labels'));
  for (let i = 0; i < 1000; i++) write(`data/other/${i}`, '');
  await open({ format: 'yolo', root, train: 'train.txt', val: 'train.txt' } as unknown as DataOptions);
  expect(kept()).toEqual([]);
  for (const name of ['images', 'labels']) renameSync(join(home, name), join(root, name));
  write('data/data.yaml', 'names: [a, b]\ntrain: images\n');
  write('data/labels/0.txt', '5 0.5 0.5 0.4 0.4\n');
  await expect(open(yolo)).rejects.toMatchObject({ code: 'E_LABEL_ROW' });
  expect(kept()).toEqual([]);
  write('data/labels/0.txt', '');
  write('data/images/z.png', picture);
  utimesSync(join(root, 'images/z.png'), Date.now() / 1000, Date.now() / 1000);
  await open(yolo);
  expect(kept()).toEqual([]);
});

test('a link to a folder is followed, and one to a folder above is not', async () => {
  writeYolo();
  renameSync(join(root, 'labels'), join(home, 'elsewhere'));
  symlinkSync(join(home, 'elsewhere'), join(root, 'labels'));
  symlinkSync(root, join(root, 'images', 'loop'));
  const first = await open(yolo);
  expect(openedBefore(yolo)!.found).toBeDefined();
  write('elsewhere/9.txt', '0 0.5 0.5 0.2 0.2\n');
  expect(openedBefore(yolo)!.found).toBeUndefined();
  expect(await open(yolo)).not.toEqual(first);
  rmSync(join(home, 'elsewhere'), { recursive: true });
});

test.each<[string, (bytes: Buffer) => Buffer]>([
  ['cut off', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['changed in one bit', (bytes) => Buffer.concat([bytes.subarray(0, -9), Buffer.from([bytes.at(-9)! ^ 1]), bytes.subarray(-8)])], // prettier-ignore
  ['empty', () => Buffer.alloc(0)],
])('an entry that is %s is not trusted', async (_, damage) => {
  writeYolo();
  const first = await open(yolo);
  const file = join(scans, kept()[0]!);
  writeFileSync(file, damage(readFileSync(file)));
  expect(openedBefore(yolo)!.found).toBeUndefined();
  expect(await open(yolo)).toEqual(first);
});
