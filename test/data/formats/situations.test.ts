import { describe, expect, test } from '@jest/globals';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import { FinetuneError } from '../../../src/errors.js';
import { temporaryFolder } from '../temporaryFolder.js';
import { smallSet } from './smallSet.js';
import { tools } from './tools.js';

const root = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(root, 'cache');

const LABELS = /\.(?:json|jsonl|ndjson|xml|txt|csv|ya?ml|names|data)$/;
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

async function open(folder: string, data: Readonly<Record<string, unknown>>) {
  const options = { ...data, root: folder, val: data['val'] ?? data['train'] } as unknown as DataOptions;
  const { train, val } = await openDatasets(options);
  const contents = [train, val].map(({ annotations, categories }) =>
    annotations
      .map(({ width, height, boxes, classes }) =>
        [width, height, ...boxes, ...classes.map((index) => categories[index]!.name)].join(' '),
      )
      .sort(),
  );
  return { contents, counted: [...Object.keys(train.dropped), ...Object.keys(val.dropped)] };
}

const read = async (folder: string, data: Readonly<Record<string, unknown>>): Promise<unknown> =>
  (await open(folder, data)).contents;

describe.each(Object.entries(tools))('%s', (name, { write }) => {
  test.each(situations)('reads the same with %s', async (situation, change) => {
    const folder = join(root, name, situation);
    await write(folder, smallSet);
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
    await write(folder, smallSet);
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

const isLabelFile = (file: string): boolean => LABELS.test(file);

/** Gives files that are called as an image, and are none, other names. */
const renameLabels = (folder: string, change: (name: string) => string): void => {
  for (const file of filesIn(folder).filter((one) => isLabelFile(one) && /blood_\d[^/]*$/.test(one)))
    renameSync(join(folder, file), join(folder, dirname(file), change(file.slice(file.lastIndexOf('/') + 1))));
};

/** Changes the names of images in the texts; a backslash stands twice in JSON. */
const renameInTexts = (folder: string, change: (stem: string) => string): void => {
  for (const file of filesIn(folder).filter(isLabelFile)) {
    const escape = (name: string): string => (/json/.test(file) ? name.replaceAll('\\', '\\\\') : name);
    const text = readFileSync(join(folder, file), 'utf8');
    writeFileSync(
      join(folder, file),
      text.replaceAll(/blood_\d/g, (stem) => escape(change(stem))),
    );
  }
};

const firstLabels = (folder: string): string | undefined =>
  filesIn(folder)
    .filter((file) => isLabelFile(file) && !/labels\/|blood_\d[^/]*\.txt/.test(file)) // an empty file for an image says that it has no objects
    .sort()[0];
const firstImage = (folder: string): string | undefined => filesIn(folder).find((file) => /blood_1.*\.jpg$/.test(file));

/** Situations after which there is the same to read, or an error that says where. */
const doubtful: readonly (readonly [name: string, change: (folder: string) => unknown])[] = [
  [
    'names whose accents are composed in two ways',
    (folder) => {
      renameInTexts(folder, (stem) => stem.replace('oo', 'ö'));
      renameLabels(folder, (name) => name.replace('oo', 'ö'));
      renameImages(folder, (name) => name.replace('oo', 'o\u0308'));
    },
  ],
  [
    'percent-encoded names',
    (folder) => {
      renameInTexts(folder, (stem) => stem.replace('_', '%20'));
      renameLabels(folder, (name) => name.replace('_', ' '));
      renameImages(folder, (name) => name.replace('_', ' '));
    },
  ],
  [
    'absolute paths of Windows',
    (folder) => {
      renameInTexts(folder, (stem) => `C:\\photos\\${stem}`);
    },
  ],
  [
    'paths that lead out of the folder',
    (folder) => {
      renameInTexts(folder, (stem) => `../../../${stem}`);
    },
  ],
  [
    'another image of the same name',
    (folder) => {
      const image = firstImage(folder);
      if (image === undefined) return;
      mkdirSync(join(folder, 'other'));
      copyFileSync(join(folder, image), join(folder, 'other', image.slice(image.lastIndexOf('/') + 1)));
    },
  ],
  [
    'two images whose names differ in case alone',
    (folder) => {
      const rename = (name: string): string => name.replace('blood_2', 'Blood_1');
      renameInTexts(folder, rename);
      renameLabels(folder, rename);
      renameImages(folder, rename);
    },
  ],
  [
    'an image of another size',
    async (folder) => {
      const image = firstImage(folder);
      if (image === undefined) return;
      const small = sharp({ create: { width: 40, height: 25, channels: 3, background: 'red' } });
      await small.jpeg().toFile(join(folder, image));
    },
  ],
  [
    'an image that EXIF turns',
    async (folder) => {
      const image = firstImage(folder);
      if (image === undefined) return;
      const turned = await sharp(join(folder, image)).withMetadata({ orientation: 6 }).toBuffer();
      writeFileSync(join(folder, image), turned);
    },
  ],
  [
    'a file of labels that is empty',
    (folder) => {
      const file = firstLabels(folder);
      if (file !== undefined) writeFileSync(join(folder, file), '');
    },
  ],
  [
    'Latin-1',
    (folder) => {
      rewrite(folder, (text) => Buffer.from(text.replaceAll('red cell', 'réd cell'), 'latin1'));
    },
  ],
];

/** Each tool with some of the situations, all of them in slow tests. */
const pairs = Object.keys(tools).flatMap((name, i) =>
  doubtful.flatMap(([situation], k) =>
    process.env.FINETUNE_SLOW === '1' || (i + k) % 4 === 0 ? [[name, situation] as const] : [],
  ),
);

/** The layouts whose boxes are shares of the image, whatever its size is. */
const SHARES = /YOLO|Darknet|AutoML|Open Images|Vertex/;

/** What must be the same: all of it but accents; of shares in another image, the classes. */
const comparable = (contents: unknown, name: string): string => {
  const parts = (contents as string[][]).map((images) => [...new Set(images)]); // a copy of an image is no other one
  const text = JSON.stringify(parts).replaceAll('réd', 'red');
  if (!SHARES.test(name)) return text;
  const classes = [...text.matchAll(/red cell|white cell|platelet/g)].map(([one]) => one);
  return classes.sort().join();
};

describe('the same is read, or what differs is counted, or an error says where', () => {
  test.each(pairs)('%s with %s', async (name, situation) => {
    const folder = join(root, name, situation);
    await tools[name]!.write(folder, smallSet);
    const { data } = (await detectLayouts(folder))[0]!;
    const before = await open(folder, data);
    await doubtful.find(([one]) => one === situation)![1](folder);
    const [again] = await detectLayouts(folder);
    const after = await open(folder, again?.data ?? data).catch((thrown: unknown) => thrown);
    if (after instanceof Error) {
      if (!(after instanceof FinetuneError)) throw after;
      const [problem] = after.problems;
      expect(problem!.where?.file ?? problem!.option).toBeDefined();
    } else {
      const { contents, counted } = after as typeof before;
      const isCounted = counted.some((reason) => !before.counted.includes(reason));
      if (!isCounted) expect(comparable(contents, name)).toBe(comparable(before.contents, name));
    }
    rmSync(folder, { recursive: true });
  });
});
