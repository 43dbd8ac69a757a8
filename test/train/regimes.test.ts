import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatasets } from '../../src/data/dataset.js';
import { loadBatches } from '../../src/data/pipeline/loader.js';
import { WHOLE } from '../../src/data/pipeline/share.js';
import { openBackend } from '../../src/engine/backend.js';
import { finetune } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { recipeModel } from '../../src/run/recipeModel.js';
import { openTrainer } from '../../src/train/openTrainer.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { tinyBackbone } from '../tinyBackbone.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'regimes-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Three epochs of five steps, on wasm, because TensorFlow would spend most of the time compiling each phase. */
const recipe = (more: string, engine = 'wasm') =>
  parseRecipe(
    `
task: detection
engine: ${engine}
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 10 }, val: { images: 3 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { epochs: 3, batch: 2, warmup: { steps: 2 }, ${more} }
report: { images: 0 }
`,
    'test.yaml',
  );
const tensors = async (directory: string, name = 'last') =>
  (await readSafetensors(join(directory, 'checkpoints', `${name}.safetensors`))).tensors;

/** Options that add state to a run besides the weights. */
const regimes = {
  'AdamW on two batches a step, with a running mean and a plateau': 'optimizer: { name: adamw }, lr: { value: 0.001 }, accumulate: 2, ema: { decay: 0.9 }, schedule: { name: plateau, patience: 0 }',
  'stages that thaw one after the other': 'freeze: { stages: all, unfreeze: [{ epoch: 1, stages: 3, lr: 0.5 }, { epoch: 2, stages: 0 }] }',
}; // prettier-ignore

const slow = process.env.FINETUNE_SLOW === '1' ? describe : describe.skip;
slow.each(Object.entries(regimes))('%s', (name, options) => {
  // step 5 ends an epoch, after which stages may thaw
  test('stopped and resumed twice, it ends with the same bytes', async () => {
    const folder = join(root, name.slice(0, 5));
    await finetune(await recipe(options), { directory: `${folder}-whole` });
    for (const stopAt of [5, 12, undefined]) {
      const abort = new AbortController();
      const onProgress = (event: ProgressEvent): void => {
        if ('phase' in event && event.phase === 'train' && event.done === stopAt) abort.abort();
      };
      await finetune(await recipe(options), {
        directory: folder,
        signal: abort.signal,
        onProgress,
        resume: stopAt !== 5,
      });
    }
    for (const checkpoint of ['last', 'best']) {
      const [whole, resumed] = [await tensors(`${folder}-whole`, checkpoint), await tensors(folder, checkpoint)];
      expect([...resumed.keys()]).toEqual([...whole.keys()]);
      for (const [key, { data }] of whole) expect([key, resumed.get(key)!.data]).toEqual([key, data]);
    }
  }, 600_000);
});

test('the best checkpoint holds the running mean of the weights', async () => {
  const directory = join(root, 'mean');
  await finetune(await recipe('ema: { decay: 0.5, warmup: false }, evaluateEvery: 3'), { directory });
  const [last, best] = [await tensors(directory), await tensors(directory, 'best')];
  for (const [name, { data }] of best) expect([name, last.get(`ema/${name}`)?.data ?? last.get(name)!.data]).toEqual([name, data]); // prettier-ignore
  const moved = 'backbone.conv_stem.weight';
  expect(last.get(moved)!.data).not.toEqual(best.get(moved)!.data);
}, 120_000);

test('what was trained keeps its slots over a thawing, what thaws starts with none', async () => {
  const whole = await recipe('freeze: { stages: 3, unfreeze: [{ epoch: 1, stages: 0 }] }', 'auto');
  const { train, data, seed } = whole;
  const datasets = await openDatasets(data);
  const { model } = await recipeModel(whole, datasets);
  const options = {
    ...train, batch: 2, augment: false as const, resize: 'stretch' as const, brokenImages: data.brokenImages, prefetch: 1, onDrop: () => undefined,
    seed, repeatThreshold: null, evaluateBatch: 1, share: WHOLE, directory: join(root, 'thaw'), recipe: 'test',
  }; // prettier-ignore
  const trainer = await openTrainer(model, datasets.train, await openBackend(), options);
  const loading = { ...options, size: model.size, epoch: 0, shuffle: false, dropLast: true };
  const encode = (sample: Parameters<typeof model.task.encode>[0]) => model.task.encode(sample);
  for await (const batch of loadBatches(datasets.train, { ...loading, encode }))
    await trainer.step({ ...batch, others: [] });
  const before = await trainer.session.read();
  expect(await trainer.enterEpoch()).toBeUndefined();
  trainer.state.epoch = 1;
  expect(await trainer.enterEpoch()).toMatch(/frozen stages: 0/);
  const after = await trainer.session.read();
  await trainer.dispose();
  const slots = [...after.keys()].filter((name) => name.startsWith('momentum/'));
  const kept = slots.filter((name) => before.has(name));
  const thawed = slots.filter((name) => !before.has(name));
  expect(kept.length).toBeGreaterThan(0);
  for (const name of kept) expect([name, after.get(name)!.data]).toEqual([name, before.get(name)!.data]);
  expect(kept.some((name) => after.get(name)!.data.some((value) => value !== 0))).toBe(true);
  expect(thawed).toContain('momentum/backbone.conv_stem.weight');
  for (const name of thawed) expect(after.get(name)!.data.every((value) => value === 0)).toBe(true);
}, 120_000);
