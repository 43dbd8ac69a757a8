import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { evaluateRecipe } from '../../src/run/evaluateRecipe.js';
import { finetune, type FinetuneResult } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { randomStream } from '../../src/random.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { residualBackbone } from '../tinyBackbone.js';

const colours = { red: '#d03030', green: '#30c040', blue: '#3050d0' } as const;
let root: string;

/** Discs of a class's colour on grey: eight to learn, four to validate. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'classify-'));
  const random = randomStream(1, 'discs');
  for (const [part, count] of [['train', 8], ['val', 4]] as const) {
    for (const [name, colour] of Object.entries(colours)) {
      await mkdir(join(root, 'data', part, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const [x, y, r] = [random.uniform(15, 45), random.uniform(15, 45), random.uniform(12, 20)];
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><rect width="60" height="60" fill="#888"/><circle cx="${x}" cy="${y}" r="${r}" fill="${colour}"/></svg>`;
        await sharp(Buffer.from(svg)).jpeg().toFile(join(root, 'data', part, name, `${i}.jpg`));
      }
    }
  }
}); // prettier-ignore
afterAll(() => rm(root, { recursive: true }));

const recipe = (more: { data?: string; backbone?: string; model?: string; train?: string } = {}) =>
  parseRecipe(
    `
task: classification
data: { format: imageFolder, root: ${join(root, 'data')}, size: 32${more.data ?? ''} }
model: { backbone: ${more.backbone ?? residualBackbone}${more.model ?? ''} }
train: { epochs: 2, batch: 8, warmup: { epochs: 0 }, logEvery: 1${more.train ?? ''} }
evaluate: { batch: 5 }
report: { images: 3 }
`,
    'test.yaml',
  );
const tensors = async (directory: string) =>
  (await readSafetensors(join(directory, 'checkpoints', 'last.safetensors'))).tensors;

describe('a run with everything that is random', () => {
  const everything = {
    data: ', augment: { cropArea: [0.5, 1], colour: 0.4, randAugment: {}, cutout: 0.3, mixup: 0.2, cutmix: 1 }',
    model: ', dropout: 0.2, stochasticDepth: 0.2',
    train: ', labelSmoothing: 0.1',
  };
  let whole: FinetuneResult;
  beforeAll(async () => {
    whole = await finetune(await recipe(everything), { directory: join(root, 'whole') });
  }, 120_000);

  test('leaves score, predictions and a report with the confusions', async () => {
    expect(whole.metrics).toMatchObject({
      task: 'classification',
      epochs: 2,
      metric: { metric: 'classification', images: 12, top5: 1 },
    });
    const predictions = JSON.parse(await readFile(join(whole.directory, 'predictions.json'), 'utf8')) as unknown[];
    expect(predictions).toHaveLength(12);
    expect(predictions[0]).toMatchObject({ image: 'blue/0.jpg', label: 'blue' });
    const report = await readFile(join(whole.directory, 'report.html'), 'utf8');
    expect(report).toContain('Confusion matrix');
    expect(report.match(/<img /g)).toHaveLength(3);
  });

  test('stopped and resumed, it ends with the same bytes', async () => {
    const directory = join(root, 'stopped');
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if ('phase' in event && event.phase === 'train' && event.done === 4) abort.abort();
    };
    await finetune(await recipe(everything), { directory, signal: abort.signal, onProgress });
    await finetune(await recipe(everything), { directory, resume: true });
    const resumed = await tensors(directory);
    for (const [name, { data }] of await tensors(whole.directory))
      expect([name, resumed.get(name)?.data]).toEqual([name, data]);
  }, 120_000);

  test('its best checkpoint scores alike afterwards', async () => {
    const best = `file:${join(whole.directory, 'checkpoints', 'best.safetensors')}`;
    const { metric, loss } = await evaluateRecipe(await recipe(everything), { weights: best });
    expect(metric).toEqual(whole.metrics!.metric);
    expect(loss).toBeCloseTo(whole.metrics!.loss.val, 5);
  }, 60_000);
});

test('with a frozen backbone the features come from the cache and the classes are learned', async () => {
  const frozen = await recipe({
    data: ', augment: { cropArea: false, colour: 0 }',
    backbone: 'mobilenetv2_035',
    train: ', freeze: { stages: all }, cache: memory, lr: { value: 0.1, perBatch: 8 }',
  });
  const { metrics, directory } = await finetune(
    { ...frozen, train: { ...frozen.train, epochs: 12, evaluateEvery: 12 } } as typeof frozen,
    { directory: join(root, 'frozen') },
  );
  expect(metrics!.loss.train).toBeLessThan(0.8); // ln 3 = 1.10 before; random features separate the few images only so well
  expect(await readFile(join(directory, 'report.html'), 'utf8')).toMatch(/times as fast/);
}, 120_000);

test('options that a backbone has no place for, and caches under augmentation, are refused', async () => {
  const vgg = await recipe({ model: ', stochasticDepth: 0.1' });
  await expect(
    finetune({ ...vgg, model: { ...vgg.model, backbone: 'vgg16' } } as typeof vgg, { directory: join(root, 'vgg') }),
  ).rejects.toMatchObject({ code: 'E_MODEL_DROP' });
  await expect(recipe({ train: ', freeze: { stages: all }, cache: memory' })).rejects.toMatchObject({
    code: 'E_RECIPE_CONFLICT',
  });
});
