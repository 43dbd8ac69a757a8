import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { finetune, type FinetuneResult } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { randomStream } from '../../src/random.js';
import { parseRecipe } from '../../src/recipe/load.js';
import type { StepLine } from '../../src/train/log/record.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const root = temporaryFolder();
const colours = { red: '#d03030', green: '#30c040', blue: '#3050d0' } as const;

/** Discs of a class's colour on grey. */
async function drawDiscs(folder: string, names: readonly (keyof typeof colours)[]): Promise<void> {
  const random = randomStream(1, folder);
  for (const [part, count] of [['train', 8], ['val', 4]] as const)
    for (const name of names) {
      await mkdir(join(root, folder, part, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const [x, y, r] = [random.uniform(15, 45), random.uniform(15, 45), random.uniform(12, 20)];
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><rect width="60" height="60" fill="#888"/><circle cx="${x}" cy="${y}" r="${r}" fill="${colours[name]}"/></svg>`;
        await sharp(Buffer.from(svg)).jpeg().toFile(join(root, folder, part, name, `${i}.jpg`));
      }
    }
} // prettier-ignore

const recipe = ({
  data,
  more = '',
  lr = '0.01',
  train = '',
}: Record<'data', string> & Partial<Record<'more' | 'lr' | 'train', string>>) =>
  // prettier-ignore
  parseRecipe(
    `
task: classification
data: { format: imageFolder, root: ${join(root, data)}, size: 32, augment: { cropArea: false, colour: 0 } }
model: { backbone: ${tinyBackbone}${more.includes('addClasses') ? `, weights: 'run:${join(root, 'known')}'` : ''} }
train: { epochs: 2, batch: 4, warmup: { epochs: 0 }, logEvery: 1, lr: { value: ${lr}, perBatch: 4 }${train} }
report: { images: 0 }
${more}
`,
    'test.yaml',
  );
const adding = (options = '') =>
  `addClasses: { replay: { format: imageFolder, root: ${join(root, 'old')} }${options} }`;
const tensors = async (directory: string, name = 'last') =>
  (await readSafetensors(join(directory, 'checkpoints', `${name}.safetensors`))).tensors;
const firstStep = async (directory: string): Promise<StepLine> =>
  JSON.parse((await readFile(join(directory, 'metrics.jsonl'), 'utf8')).split('\n')[0]!) as StepLine;

beforeAll(async () => {
  await drawDiscs('old', ['red', 'green']);
  await drawDiscs('new', ['blue']);
  await finetune(await recipe({ data: 'old' }), { directory: join(root, 'known') });
}, 300_000);

describe('a class is added to a classifier', () => {
  let result: FinetuneResult;
  beforeAll(async () => {
    result = await finetune(await recipe({ data: 'new', more: adding() }), { directory: join(root, 'added') });
  }, 300_000);

  test('the score of the old classes stands before and after, in metrics and report', async () => {
    const { metric, oldClasses } = result.metrics as unknown as Record<string, Record<string, unknown>>;
    const named = (score: unknown) =>
      (score as { perCategory: { name: string }[] }).perCategory.map(({ name }) => name);
    expect(named(oldClasses!['before'])).toEqual(['green', 'red']);
    expect(named(oldClasses!['after'])).toEqual(['green', 'red', 'blue']);
    expect(metric).toMatchObject({ images: 4 });
    const report = await readFile(join(result.directory, 'report.html'), 'utf8');
    expect(report).toMatch(/Classes before and after[^]*2 old classes, mean[^]*1 new classes, mean/);
  });

  test('the rows of the old classes are those of the old model, and at the first step nothing is to be distilled', async () => {
    const directory = join(root, 'still');
    const frozen = { lr: '1.0e-12', train: ', freeze: { stages: all }, cache: memory' };
    await finetune(await recipe({ data: 'new', more: adding(), ...frozen }), { directory });
    const [old, now] = [await tensors(join(root, 'known'), 'best'), await tensors(directory)];
    const weight = [...now.keys()].find((name) => /classifier.weight$/.test(name))!;
    const [before, after] = [old.get(weight)!, now.get(weight)!];
    expect(after.shape).toEqual([3, before.shape[1]]);
    const columns = before.shape[1]!;
    for (let i = 0; i < 2 * columns; i++) expect(Number(after.data[i])).toBeCloseTo(Number(before.data[i]), 5);
    expect((await firstStep(directory)).parts['distill']).toBeCloseTo(0, 5);
  }, 300_000);

  test('stopped and resumed it ends with the same bytes', async () => {
    const directory = join(root, 'stopped');
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if ('phase' in event && event.phase === 'train' && event.done === 3) abort.abort();
    };
    const again = await recipe({ data: 'new', more: adding() });
    await finetune(again, { directory, signal: abort.signal, onProgress });
    await finetune(again, { directory, resume: true });
    const [whole, resumed] = [await tensors(result.directory), await tensors(directory)];
    for (const [name, { data }] of whole) expect([name, resumed.get(name)?.data]).toEqual([name, data]);
  }, 300_000);
});

const slow = process.env.FINETUNE_SLOW === '1' ? test : test.skip;

slow(
  'classes are added to a detector, and resumed it ends with the same bytes',
  async () => {
    const detection = (categories: string, more = '') =>
      parseRecipe(
        `
task: detection
data: { format: synthetic, root: ${join(root, 'drawn')}, train: { images: 12 }, val: { images: 3 }, size: 64, categories: [${categories}], augment: false }
model: { backbone: ${tinyBackbone}${more && `, weights: 'run:${join(root, 'detector')}'`} }
train: { epochs: 1, batch: 4, warmup: { epochs: 0 }, logEvery: 1 }
report: { images: 0 }
${more}
`,
        'test.yaml',
      );
    await finetune(await detection('fish, house'), { directory: join(root, 'detector') });
    const replay = `{ format: synthetic, root: ${join(root, 'drawn')}, train: { images: 12 }, val: { images: 3 }, categories: [fish, house] }`;
    const more = `addClasses: { replay: ${replay} }`;
    const directory = join(root, 'more');
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if ('phase' in event && event.phase === 'train' && event.done === 2) abort.abort();
    };
    await finetune(await detection('star', more), { directory, signal: abort.signal, onProgress });
    await finetune(await detection('star', more), { directory, resume: true });
    const whole = await finetune(await detection('star', more), { directory: join(root, 'more-whole') });
    const { oldClasses } = whole.metrics as unknown as Record<string, Record<string, { perCategory: object[] }>>;
    expect(oldClasses!['before']!.perCategory).toHaveLength(2);
    expect(oldClasses!['after']!.perCategory).toHaveLength(3);
    expect((await firstStep(directory)).parts).toEqual({ box: expect.any(Number), class: expect.any(Number), distill: expect.any(Number) }); // prettier-ignore
    const [one, other] = [await tensors(whole.directory), await tensors(directory)];
    for (const [name, { data }] of one) expect([name, other.get(name)?.data]).toEqual([name, data]);
  },
  300_000,
);
