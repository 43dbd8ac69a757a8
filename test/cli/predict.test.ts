import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { run } from '../../src/cli/program.js';
import { numberCategories } from '../../src/data/categories.js';
import { createClassification, createDetection } from '../../src/evaluate/createTask.js';
import { randomStream } from '../../src/random.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel } from '../../src/tasks/model.js';
import { saveModel } from '../../src/train/modelWeights.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyTable } from '../tinyBackbone.js';

const folder = temporaryFolder();
const below = (name: string) => join(folder, name);
const photos = below('photos');
const detector = below('detector.safetensors');
const classifier = below('classifier.safetensors');

beforeAll(async () => {
  await mkdir(join(photos, 'more'), { recursive: true });
  const random = randomStream(1, 'photos');
  for (const [name, width, height] of [
    ['a.jpg', 90, 60],
    ['more/a.jpg', 60, 90],
    ['more/b.png', 64, 64],
  ] as const) {
    const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(join(photos, name));
  }
  await mkdir(below('empty'));
  await writeFile(join(photos, 'broken.jpg'), 'this is no image');
  const categories = numberCategories(['a dog', '../cat']);
  const options = { ...detectorDefaults.ssdlite, backbone: tinyTable, size: [64, 64], numClasses: 2 } as const;
  await saveModel(createModel(createDetection(options), { categories, seed: 1 }), detector);
  const plain = { labelSmoothing: 0, dropout: 0, stochasticDepth: 0 };
  const classes = createClassification({ backbone: tinyTable, size: [32, 32], numClasses: 2, ...plain });
  await saveModel(createModel(classes, { categories, seed: 1 }), classifier);
});

let said: string;
let printed: string;
beforeEach(() => {
  [said, printed] = ['', ''];
  jest.spyOn(console, 'error').mockImplementation((line: string) => (said += `${line}\n`));
  const write = (add: (text: string) => void) =>
    ((text: string, done?: () => void) => {
      add(text);
      done?.();
      return true;
    }) as typeof process.stdout.write;
  jest.spyOn(process.stderr, 'write').mockImplementation(write((text) => (said += text)));
  jest.spyOn(process.stdout, 'write').mockImplementation(write((text) => (printed += text)));
});
afterEach(() => {
  jest.restoreAllMocks();
});

type Printed = {
  file: string;
  width: number;
  height: number;
  predictions: { category: string; score: number; box: number[] }[];
  error?: { code: string };
}[];

test('--json prints an array with an entry for each file; a broken one has its error in its place, and the exit code is 1', async () => {
  expect(await run(['predict', detector, photos, '--json', '--threshold', '0'])).toBe(1);
  const entries = JSON.parse(printed) as Printed;
  expect(entries.map(({ file }) => file.slice(photos.length + 1))).toEqual([
    'a.jpg',
    'broken.jpg',
    'more/a.jpg',
    'more/b.png',
  ]);
  expect(entries[1]).toEqual({
    file: join(photos, 'broken.jpg'),
    error: { code: 'E_IMAGE_DECODE', message: expect.stringContaining('cannot be decoded') },
  });
  for (const { width, height, predictions } of entries.filter(({ error }) => !error)) {
    expect([width, height].sort()).toEqual(width === height ? [64, 64] : [60, 90]);
    expect(predictions.length).toBeGreaterThan(0);
    const scores = predictions.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    for (const { box } of predictions) {
      expect(box[0]! + box[2]!).toBeLessThanOrEqual(width + 0.01);
      expect(box[1]! + box[3]!).toBeLessThanOrEqual(height + 0.01);
    }
  }
  expect(said).toMatch(
    /3 images, \d+ objects \(score ≥ 0\).*; 1 file could not be read:\n.*broken\.jpg .*E_IMAGE_DECODE/,
  );
});

test('--threshold leaves out what scores less, and a sound command exits with 0', async () => {
  expect(await run(['predict', detector, join(photos, 'a.jpg'), '--json', '--threshold', '1'])).toBe(0);
  expect(JSON.parse(printed)).toEqual([{ file: join(photos, 'a.jpg'), width: 90, height: 60, predictions: [] }]);
});

test('--out writes a drawing of each image, --csv a table, --crops what was found, each below the folder', async () => {
  const out = below('out');
  const argv = ['predict', detector, photos, '--out', out, '--csv', '--crops', '--threshold', '0'];
  expect(await run(argv)).toBe(1);
  expect((await readdir(out)).sort()).toEqual(['a.jpg', 'crops', 'more', 'predictions.csv']);
  expect((await readdir(join(out, 'more'))).sort()).toEqual(['a.jpg', 'b.png']);
  expect(await sharp(join(out, 'more/a.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 240, height: 360 });
  const table = await readFile(join(out, 'predictions.csv'), 'utf8');
  const lines = table.trim().split('\r\n');
  expect(lines[0]).toBe('file,category,categoryId,score,x,y,width,height');
  expect((await readdir(join(out, 'crops'))).sort()).toEqual(['.._cat', 'a dog']);
  const crops = (await readdir(join(out, 'crops'), { recursive: true })).filter((name) => /\.(jpg|png)$/.test(name));
  expect(crops).toHaveLength(lines.length - 1);

  expect(await run(argv)).toBe(2); // the folder is not empty any more
  expect(said).toContain('E_PREDICT_OUT');
  expect(await run([...argv, '--overwrite'])).toBe(1);
  expect(await readFile(join(out, 'predictions.csv'), 'utf8')).toBe(table);
});

test('a command that can read or write no image leaves nothing, neither in a folder that was there nor in a new one', async () => {
  const broken = join(photos, 'broken.jpg');
  await mkdir(below('there'));
  for (const out of [below('new/er'), below('there')]) {
    expect(await run(['predict', detector, broken, '--out', out, '--csv', '--crops'])).toBe(1);
    expect(said).not.toContain('the results are in');
  }
  const out = below('blocked'); // a folder is where the drawing should be
  await mkdir(join(out, 'a.jpg', 'inner'), { recursive: true });
  expect(await run(['predict', detector, join(photos, 'a.jpg'), '--out', out, '--overwrite'])).toBe(1);
  expect(said).toContain('E_DISK_WRITE');
  expect(said).not.toContain('the results are in');
  expect(await readdir(folder)).not.toContain('new');
  expect(await readdir(below('there'))).toEqual([]);
});

test('--tile finds objects in tiles, in pixels of the image', async () => {
  const argv = ['predict', detector, join(photos, 'a.jpg'), '--json', '--threshold', '0', '--tile'];
  expect(await run([...argv, '40', '--overlap', '0.3'])).toBe(0);
  const [entry] = JSON.parse(printed) as Printed;
  const boxes = entry!.predictions.map(({ box }) => box);
  expect(Math.max(...boxes.map(([x, , w]) => x! + w!))).toBeGreaterThan(60);
  expect(Math.max(...boxes.map(([x, , w]) => x! + w!))).toBeLessThanOrEqual(90.01);

  printed = '';
  expect(await run([...argv, '100'])).toBe(0); // the image fits into a tile
  const tiled = printed;
  printed = '';
  expect(await run(argv.slice(0, -1))).toBe(0);
  expect(tiled).toBe(printed);
  expect(await run(['predict', classifier, join(photos, 'a.jpg'), '--tile', '40'])).toBe(2);
  expect(said).toContain('a classifier sees whole images');
});

test('no drawing replaces an image that is read', async () => {
  const before = await readFile(join(photos, 'a.jpg'));
  expect(await run(['predict', detector, join(photos, 'a.jpg'), '--out', photos, '--overwrite'])).toBe(2);
  expect(said).toContain('would replace this image');
  expect((await readFile(join(photos, 'a.jpg'))).equals(before)).toBe(true);
});

test('- reads an image from stdin', async () => {
  const bytes = await readFile(join(photos, 'a.jpg'));
  const { stdin } = process;
  Object.defineProperty(process, 'stdin', {
    value: Readable.from([bytes.subarray(0, 50), bytes.subarray(50)]),
    configurable: true,
  });
  try {
    expect(await run(['predict', classifier, '-', '--json'])).toBe(0);
  } finally {
    Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  }
  expect(JSON.parse(printed)).toEqual([
    {
      file: '-',
      width: 90,
      height: 60,
      predictions: [1, 2].map(() => ({
        category: expect.any(String),
        categoryId: expect.any(Number),
        probability: expect.any(Number),
      })),
    },
  ]);
});

test('a classifier gets bars, and no crops', async () => {
  const out = below('classes');
  expect(await run(['predict', classifier, join(photos, 'more'), '--out', out, '--csv'])).toBe(0);
  expect(await readFile(join(out, 'predictions.csv'), 'utf8')).toMatch(/^file,category,categoryId,probability\r\n/);
  expect(await run(['predict', classifier, join(photos, 'more'), '--out', below('more'), '--crops'])).toBe(2);
  expect(said).toContain('--crops');
});

test.each([
  ['with a line feed', 'new\nline.jpg', 'new\\nline.jpg'],
  ['of many letters', `${'long'.repeat(50)}.jpg`, '…'],
])('a name %s does not break the table', async (_, name, shown) => {
  await mkdir(below('odd'), { recursive: true });
  await writeFile(join(below('odd'), name), await readFile(join(photos, 'a.jpg')));
  expect(await run(['predict', detector, join(below('odd'), name), '--threshold', '0'])).toBe(0);
  const rows = said.split('\n').filter((line) => / (a dog|\.\.\/cat) +\d\.\d{3} /.test(line));
  expect(rows).toHaveLength(40);
  for (const row of rows) expect(row).toContain(shown);
  expect(rows[0]!.length).toBeLessThan(120);
});

/** A PNG file that says that it has these sides, and has no pixels. */
async function writeBomb(file: string, width: number, height: number): Promise<void> {
  const small = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  small.writeUInt32BE(width, 16);
  small.writeUInt32BE(height, 20);
  small.writeUInt32BE(crc32(small.subarray(12, 29)), 29);
  await writeFile(file, small);
}

test('images that would fill the memory are errors among the others', async () => {
  const bombs = below('bombs');
  await mkdir(bombs);
  await writeBomb(join(bombs, 'huge.png'), 100_000, 100_000);
  await writeBomb(join(bombs, 'liar.png'), 16_000, 16_000);
  await writeFile(join(bombs, 'sound.jpg'), await readFile(join(photos, 'a.jpg')));
  expect(await run(['predict', detector, bombs, '--json'])).toBe(1);
  const [huge, liar, sound] = JSON.parse(printed) as [Printed[0], Printed[0], Printed[0]];
  expect(huge.error).toEqual({ code: 'E_IMAGE_DECODE', message: expect.stringContaining('pixel limit') });
  expect(liar.error!.code).toBe('E_IMAGE_DECODE');
  expect(sound).toMatchObject({ width: 90, height: 60 });
});

const slowly = process.env.FINETUNE_SLOW === '1' ? test : test.skip;
slowly.each([1, 6])(
  'a JPEG photo of 200 megapixels, of EXIF orientation %d, is read',
  async (orientation) => {
    const file = below(`large-${orientation}.jpg`);
    const create = { width: 16_000, height: 12_500, channels: 3, background: 'green' } as const;
    await sharp({ create, limitInputPixels: false }).withMetadata({ orientation }).jpeg().toFile(file);
    expect(await run(['predict', detector, file, '--json'])).toBe(0);
    const [width, height] = orientation === 1 ? [16_000, 12_500] : [12_500, 16_000];
    expect(JSON.parse(printed)).toMatchObject([{ file, width, height }]);
  },
  120_000,
);

test.each([
  [['predict', 'RUN'], 'no images given'],
  [['predict', 'RUN', 'x.jpg', '--csv'], '--csv needs --out'],
  [['predict', 'RUN', 'x.jpg', '--threshold', '2'], '--threshold takes a number from 0 to 1; got "2"'],
  [['predict', 'RUN', 'x.jpg', '--tile', '5'], '--tile takes a whole number, at least 32; got "5"'],
  [['predict', 'RUN', 'x.jpg', '--overlap', '0.1'], '--overlap needs --tile'],
  [['predict', 'RUN', 'none/*.jpg'], 'E_PREDICT_INPUT'],
  [['predict', 'RUN', 'EMPTY'], 'the folder has no images'],
  [['predict', 'no/such/run', 'PHOTO'], 'E_MODEL_PATH'],
])('%j is refused with exit code 2', async (argv, message) => {
  const words = argv.map(
    (word) => ({ RUN: detector, EMPTY: below('empty'), PHOTO: join(photos, 'a.jpg') })[word] ?? word,
  );
  expect(await run(words)).toBe(2);
  expect(said).toContain(message);
  expect(printed).toBe('');
});
