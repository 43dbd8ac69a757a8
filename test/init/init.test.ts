import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { initRecipe, type InitResult } from '../../src/init/initRecipe.js';
import { chooseSchedule } from '../../src/init/schedule.js';
import { run } from '../../src/cli/program.js';
import { loadRecipe, parseRecipe } from '../../src/recipe/load.js';

let root: string;
let picture: Buffer;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'finetune-init-'));
  picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#789' } })
    .png()
    .toBuffer();
});
afterAll(() => rm(root, { recursive: true, force: true }));

const write = async (file: string, content: string | Buffer): Promise<void> => {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), content);
};
const look = (folder: string, options = {}): Promise<InitResult> =>
  initRecipe(join(root, folder), { file: join(root, 'made.yaml'), ...options });
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A COCO part of images with a box each. */
async function coco(folder: string, count: number, { names = ['cog', 'nut'], side = 30, bad = 0 } = {}): Promise<void> {
  for (const i of numbers(count)) await write(`${folder}/images/${i}.png`, picture);
  const annotations = numbers(count).map((i) => ({
    id: i + 1,
    image_id: i,
    category_id: i % names.length,
    bbox: [2, 2, i < bad ? 0 : side, 30],
    area: 30 * side,
    iscrowd: 0,
  }));
  const images = numbers(count).map((i) => ({ id: i, file_name: `${i}.png`, width: 64, height: 48 }));
  const categories = names.map((name, id) => ({ id, name }));
  await write(`${folder}/annotations.json`, JSON.stringify({ images, annotations, categories }));
}

const slow = process.env['FINETUNE_SLOW'] === '1' ? test : test.skip;
slow.each([
  ['the largest that keeps it', 1e6, { size: [260, 260] }, 'lite2', 'within the 1000000 ms asked for'],
  ['the fastest where none does', 1e-3, { size: [96, 96] }, 'lite0', 'more than the 0.001 ms asked for'],
])('a latency chooses among the classifiers with weights: %s', async (_, latency, data, network, why) => {
  const folder = `latency-${network}`;
  for (const name of ['cat', 'dog']) for (const i of numbers(5)) await write(`${folder}/${name}/${i}.png`, picture);
  const { recipe, text } = await look(folder, { latency });
  const model = { backbone: `tf_efficientnet_${network}`, weights: `efficientnet_${network}.google` };
  expect(recipe).toMatchObject({ data, model });
  expect(text).toContain(why);
});

describe('a folder becomes a recipe', () => {
  test('COCO without a validation part: the split, the weights and a schedule that can work, each with its reason', async () => {
    await coco('parts', 40);
    const { text, recipe, recognised, facts, lines } = await look('parts');
    expect(recognised.chosen.format).toBe('coco');
    expect(facts).toMatchObject({ parts: { train: 32, val: 8 }, objects: 40, imageSize: [64, 48], isOneSize: true });
    expect(recipe).toMatchObject({
      task: 'detection',
      data: { format: 'coco', split: { val: 0.2, by: 'group' }, size: [300, 300] },
      model: { head: 'ssdlite', classLoss: 'softmax' },
      train: { batch: 4, epochs: 40 },
    });
    expect(lines).toHaveLength(5);
    expect(text.split('\n').every((line) => line.length <= 120 || line.includes('$schema='))).toBe(true);
    expect(text).toContain('  root: parts # relative to this file');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\S+\/schema\/recipe\.json\n/);
    expect(text).toMatch(/epochs: 40 # 8 steps an epoch, 320 in all/);
    expect(await parseRecipe(text, join(root, 'made.yaml'))).toEqual(recipe);
  });

  test('classes of COCO keep their predictor, sided classes are not mirrored, and a few bad boxes are left out', async () => {
    await coco('known', 20, { names: ['cat', 'dog'] });
    expect((await look('known')).recipe.model).toMatchObject({ classLoss: 'sigmoid' });
    await coco('sided', 20, { names: ['left-shoe', 'right-shoe'], bad: 1 });
    const { recipe, facts } = await look('sided');
    expect(recipe.data).toMatchObject({ invalidBoxes: 'drop', augment: { flip: 0 } });
    expect(facts.dropped).toEqual({ 'box without area': 1 });
    await coco('bad', 20, { bad: 5 });
    await expect(look('bad')).rejects.toMatchObject({ code: 'E_COCO_BOX' });
    await coco('specks', 20, { side: 0.1 }); // less than a pixel of any input: there are no boxes to fit anchors to
    const specks = (await look('specks')).recipe;
    expect(specks).toMatchObject({ data: { size: [300, 300] }, model: { anchors: 'tensorflow' } });
  });

  test('class folders become a classifier on frozen features', async () => {
    for (const i of numbers(12)) await write(`classes/${i % 2 ? 'cat' : 'dog'}/${i}.png`, picture);
    const { recipe, lines } = await look('classes', { time: '2m' });
    expect(recipe).toMatchObject({
      task: 'classification',
      data: { format: 'imageFolder', split: { val: 0.2 } },
      train: { freeze: { stages: 'all', batchNorm: 'eval' }, cache: 'memory', batch: 2, time: '2m' },
    });
    expect(lines[1]).toBe('classification of 2 classes, 12 images: cat 6, dog 6');
  });
});

describe('what is uncertain is not guessed', () => {
  test('no labels, an unknown layout, and a layout of another task are errors that say what is there', async () => {
    await write('photos/a.png', picture);
    await expect(look('photos')).rejects.toMatchObject({
      code: 'E_INIT_LAYOUT',
      message: expect.stringContaining('1 files, 1 of them images (1 .png)'),
    });
    await expect(look('photos', { layout: 'cocoo' })).rejects.toThrow('did you mean "coco"?');
    await coco('boxes', 5);
    await expect(look('boxes', { task: 'classification' })).rejects.toThrow('without --task classification it can be');
  });

  test('two readings for two tasks must be chosen between; two files of the same task are told', async () => {
    await coco('both', 10);
    const rows = numbers(10).map((i) => `images/${i}.png,${i % 2 ? 'good' : 'bad'}`);
    await write('both/labels.csv', ['file,label', ...rows].join('\n'));
    await expect(look('both')).rejects.toMatchObject({
      code: 'E_INIT_AMBIGUOUS',
      message: expect.stringMatching(/as coco, for detection .* as csv, for classification/),
    });
    expect((await look('both', { task: 'classification' })).recipe.data).toMatchObject({ format: 'csv' });
  });
});

test('the command writes the recipe once, and never over a file', async () => {
  await coco('command', 10);
  const out = join(root, 'command.yaml');
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  expect(await run(['init', join(root, 'command'), '--out', out, '--json'])).toBe(0);
  expect(JSON.parse(printed.mock.calls[0]![0] as string)).toMatchObject({
    layout: 'coco',
    parts: { train: 8, val: 2 },
  });
  expect(printed.mock.calls.at(-1)).toEqual([out]);
  expect(await loadRecipe(out)).toMatchObject({ task: 'detection' });
  expect(await run(['init', join(root, 'command'), '--out', out])).toBe(2);
  expect(said.mock.calls.flat().join('\n')).toContain('E_INIT_EXISTS');
  expect(await run(['init', 'x', '--latency', 'fast'])).toBe(2);
  expect(await run(['init', 'x', '--task', 'boxes'])).toBe(2);
  jest.restoreAllMocks();
});

test.each([
  [5, 1],
  [40, 8],
  [60, 8],
  [3000, 8],
])(
  'the schedule for %i images has at least 300 steps and at most a fifth of the images in a batch',
  (images, batch) => {
    const settings = new Map(
      chooseSchedule({ images, batch: 8, time: undefined }).map(({ path, value }) => [path, value]),
    );
    expect(settings.get('train.batch')).toBe(batch);
    const perEpoch = Math.floor(images / batch);
    expect(perEpoch * Number(settings.get('train.epochs'))).toBeGreaterThanOrEqual(300);
    expect(Number(settings.get('train.warmup.steps'))).toBeLessThanOrEqual(Math.max(1, perEpoch));
  },
);

test('a schedule for a time evaluates every 40 steps, not after each short epoch', () => {
  const valueOf = (images: number) =>
    chooseSchedule({ images, batch: 8, time: '10m' }).find(({ path }) => path === 'train.evaluateEvery')?.value;
  expect([valueOf(16), valueOf(48), valueOf(2400)]).toEqual([5, 7, undefined]);
});

test('images that cannot be divided: what would help, with the option of init', async () => {
  await coco('two', 2);
  const fixes = async (options = {}) =>
    look('two', options).catch((error: unknown) => (error as { problems: { fix: string }[] }).problems[0]!.fix);
  expect(await fixes()).toMatch(/--set data\.split\.by=none/);
  expect(await fixes({ set: ['data.split.by=none'] })).toMatchObject({ recipe: { data: { split: { by: 'none' } } } });
  await coco('two', 1);
  expect(await fixes()).toBe('add images: each part needs one');
});

test('class folders without an image are left out and named, unless most are empty', async () => {
  for (const name of ['cat', 'dog']) for (const i of numbers(10)) await write(`gaps/${name}/${i}.png`, picture);
  await write('gaps/yak/readme.txt', '');
  await write('gaps/cat/broken.png', '');
  const { recipe, lines } = await look('gaps');
  expect(recipe).toMatchObject({ data: { categories: { drop: ['yak'] }, brokenImages: 'drop' } });
  expect(lines[1]).toMatch(/^classification of 2 classes, .*class without an image, left out: "yak"/);
  await write('gaps/elk/a.heic', '');
  await expect(look('gaps')).rejects.toMatchObject({ code: 'E_FOLDER_EMPTY' });
});

test('a table with a column for each class, as Roboflow writes it', async () => {
  const rows = (first: number, count: number): string =>
    numbers(count).map((i) => `${first + i}.png, ${i % 2}, ${1 - (i % 2)}\n`).join(''); // prettier-ignore
  for (const [part, first, count] of [
    ['train', 0, 12],
    ['valid', 12, 4],
  ] as const)
    // prettier-ignore
    for (const i of numbers(count)) await write(`flags/${part}/${first + i}.png`, picture);
  await write('flags/train/_classes.csv', `filename, cat, dog\n${rows(0, 12)}`);
  await write('flags/valid/_classes.csv', `filename, cat, dog\n${rows(12, 4)}`);
  const { facts, recognised } = await look('flags');
  expect([recognised.chosen.format, facts.parts]).toEqual(['csv', { train: 12, val: 4 }]);
  expect(facts.classes).toEqual([{ name: 'cat', count: 8 }, { name: 'dog', count: 8 }]); // prettier-ignore
  await write('flags/train/_classes.csv', `filename, cat, dog\n${rows(0, 11)}11.png, 1, 1\n`);
  await expect(look('flags')).rejects.toMatchObject({ code: 'E_CSV_ROW' });
});

test('images that could be several files are not left out without asking, if they are many', async () => {
  await coco('twins', 10);
  for (const i of numbers(4)) {
    await write(`twins/more/a/${i}.png`, picture);
    await write(`twins/more/b/${i}.png`, picture);
    await rm(join(root, `twins/images/${i}.png`));
  }
  await expect(look('twins')).rejects.toMatchObject({ code: expect.stringMatching(/^E_IMAGE_/) as unknown });
});

describe('a folder without labels that are known says what to do', () => {
  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['an archive', { 'set.zip': 'PK' }, /^unpack set\.zip/],
    ['photos of a phone', { 'a.heic': 'x', 'b.heic': 'x' }, /save them as JPEG/],
    ['records of TensorFlow', { 'train.tfrecord': 'x' }, /export the data from it as COCO/],
    ['photos alone', { 'a.jpg': '', 'b.jpg': '' }, /draw boxes with a tool/],
    ['masks', { 'images/a.jpg': '', 'masks/a.png': 'x' }, /^masks\/a\.png seems to be a mask/],
    ['empty text files', { 'a.jpg': '', 'b.jpg': '', 'a.txt': '', 'b.txt': '' }, /the text files are empty/],
  ])('%s', async (name, files, fix) => {
    for (const [path, text] of Object.entries(files)) await write(`without ${name}/${path}`, text);
    await expect(look(`without ${name}`)).rejects.toMatchObject({
      code: 'E_INIT_LAYOUT',
      problems: [{ fix: expect.stringMatching(fix) as unknown }],
    });
  });
});
