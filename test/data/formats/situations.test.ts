import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import { FinetuneError } from '../../../src/errors.js';
import { temporaryFolder } from '../temporaryFolder.js';
import { tools } from './tools.js';

const root = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(root, 'cache');

const LABELS = /\.(?:json|jsonl|xml|txt|csv|ya?ml|names|data)$/;
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.\w+$/.test(file));

/** Changes the texts of all files of labels. */
const rewrite = (folder: string, change: (text: string) => string | Uint8Array): void => {
  for (const file of filesIn(folder).filter((one) => LABELS.test(one)))
    writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')));
};

/** Gives images other names, which the labels do not have. */
const renameImages = (folder: string, change: (name: string) => string): void => {
  for (const file of filesIn(folder).filter((one) => one.endsWith('.jpg'))) {
    const to = join(folder, dirname(file), change(file.slice(file.lastIndexOf('/') + 1)));
    mkdirSync(dirname(to), { recursive: true });
    renameSync(join(folder, file), to);
  }
};

const utf16 = (text: string): Uint8Array => Buffer.from(`\uFEFF${text}`, 'utf16le');

/** Situations of real data sets: after each change, the same is read. */
const situations: readonly (readonly [name: string, change: (folder: string) => void])[] = [
  [
    'UTF-8 with a byte order mark',
    (folder) => {
      rewrite(folder, (text) => `\uFEFF${text}`);
    },
  ],
  [
    'UTF-16',
    (folder) => {
      rewrite(folder, utf16);
    },
  ],
  [
    'line ends of Windows',
    (folder) => {
      rewrite(folder, (text) => text.replaceAll(/\r?\n/g, '\r\n'));
    },
  ],
  [
    'extensions in capitals',
    (folder) => {
      renameImages(folder, (name) => name.replace('.jpg', '.JPG'));
    },
  ],
  [
    'names in capitals',
    (folder) => {
      renameImages(folder, (name) => name.replace('blood', 'Blood'));
    },
  ],
];

async function read(folder: string, data: Readonly<Record<string, unknown>>): Promise<unknown> {
  const options = { ...data, root: folder, val: data['val'] ?? data['train'] } as unknown as DataOptions;
  const { train, val } = await openDatasets(options);
  return [train, val].map(({ annotations, categories }) =>
    annotations
      .map(({ width, height, boxes, classes }) =>
        [width, height, ...boxes, ...classes.map((index) => categories[index]!.name)].join(' '),
      )
      .sort(),
  );
}

describe.each(Object.entries(tools))('%s', (name, { write }) => {
  test.each(situations)('reads the same with %s', async (situation, change) => {
    const folder = join(root, name, situation);
    await write(folder);
    const { data } = (await detectLayouts(folder))[0]!;
    const expected = await read(folder, data);
    change(folder);
    const [again] = await detectLayouts(folder);
    expect(again?.format).toBe(data.format);
    expect(await read(folder, again!.data)).toEqual(expected);
    rmSync(folder, { recursive: true });
  });

  test('says where an image is missing, and leaves it out if asked', async () => {
    const folder = join(root, name, 'missing');
    await write(folder);
    const { data } = (await detectLayouts(folder))[0]!;
    const image = filesIn(folder).find((file) => /blood_1.*\.jpg$/.test(file));
    if (image === undefined || data.format === 'yolo') return; // without its image, a label file is of no use
    rmSync(join(folder, image));
    const error: unknown = await read(folder, data).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FinetuneError);
    expect((error as FinetuneError).code).toBe('E_IMAGE_MISSING');
    expect((error as FinetuneError).problems[0]!.where?.file).toBeDefined();
    expect(await read(folder, { ...data, brokenImages: 'drop' })).toBeDefined();
  });
});
