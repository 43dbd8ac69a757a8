import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock, type Lock } from '../../src/files/lock.js';
import { parse, stringify } from 'yaml';
import { finetune, type FinetuneOptions, type FinetuneResult } from '../../src/finetune.js';
import type { Model } from '../../src/tasks/model.js';
import { findCheckpoint, loadCheckpoint } from '../../src/train/checkpoint/checkpoint.js';
import type { ProgressEvent } from '../../src/progress.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { tinyBackbone } from '../tinyBackbone.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-'));
});
afterAll(() => rm(root, { recursive: true }));

/** The engine is wasm where the test is not about what TensorFlow computes: TensorFlow takes seconds to prepare a program. */
const recipeText = (more = '', engine = 'auto'): string => `
task: detection
engine: ${engine}
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 20 }, val: { images: 5 }, size: 96 ${more.includes('cache') ? ', augment: { flip: 0, photometric: false, expand: 0, iouCrop: false }' : ''} }
model: { backbone: ${tinyBackbone} }
train: { epochs: 2, batch: 4, warmup: { epochs: 0.5 }, logEvery: 2${more} }
report: { images: 2 }
`;
const recipe = (more?: string, engine?: string) => parseRecipe(recipeText(more, engine), 'test.yaml');
const tensors = async (directory: string, name = 'last') =>
  (await readSafetensors(join(directory, 'checkpoints', `${name}.safetensors`))).tensors;

describe('a run', () => {
  let result: FinetuneResult;
  beforeAll(async () => {
    result = await finetune(await recipe(), { directory: join(root, 'whole') });
  }, 120_000);

  test('leaves what the contract lists', async () => {
    const files = await readdir(result.directory);
    for (const name of [
      'recipe.yaml',
      'versions.json',
      'metrics.jsonl',
      'metrics.json',
      'predictions.json',
      'report.html',
      'checkpoints',
    ])
      expect(files).toContain(name);
    expect(files.some((name) => name.includes('tfevents'))).toBe(true);
    expect((await readdir(join(result.directory, 'checkpoints'))).sort()).toEqual([
      'best.safetensors',
      'last.safetensors',
      'last.state.json',
      'previous.safetensors',
    ]);
    const lines = (await readFile(join(result.directory, 'metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.filter(({ type }) => type === 'epoch')).toHaveLength(2);
    expect(lines.filter(({ type }) => type === 'step')).toHaveLength(5); // 10 steps, logEvery 2
    expect(result.metrics).toMatchObject({ task: 'detection', epochs: 2, metric: { metric: 'coco' } });
  });

  test('a run in a directory that holds one is refused', async () => {
    await expect(finetune(await recipe(), { directory: result.directory })).rejects.toMatchObject({
      code: 'E_RUN_EXISTS',
    });
  });

  test('a second run in a directory where one is at work is refused', async () => {
    const lock = (await tryLock(join(result.directory, 'run.lock'))) as Lock;
    const second = finetune(await recipe(), { directory: result.directory, resume: true });
    await expect(second).rejects.toMatchObject({ code: 'E_RUN_LOCKED', message: expect.stringContaining('kill') });
    await lock.release();
  });

  test('stopped in the middle of an epoch and resumed, it ends with the same bytes', async () => {
    const directory = join(root, 'stopped');
    await mkdir(join(directory, '.rehearsal-killed'), { recursive: true }); // what a killed process leaves
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if ('phase' in event && event.phase === 'train' && event.done === 7) abort.abort();
    };
    const stopped = await finetune(await recipe(), { directory, signal: abort.signal, onProgress });
    expect(stopped.metrics).toBeUndefined();
    expect(await readdir(directory)).not.toContain('.rehearsal-killed');
    expect(JSON.parse(await readFile(join(directory, 'checkpoints', 'last.state.json'), 'utf8'))).toMatchObject({
      step: 7,
      epoch: 1,
      batch: 2,
    });
    await finetune(await recipe(), { directory, resume: true });
    const whole = await tensors(result.directory);
    const resumed = await tensors(directory);
    for (const [name, { data }] of whole) expect([name, resumed.get(name)?.data]).toEqual([name, data]);
  }, 120_000);

  test('each verb says which other one is meant', async () => {
    const { directory } = result;
    const failure = async (options: FinetuneOptions) =>
      finetune(await recipe(), options).catch((error: unknown) => error);
    expect(await failure({ directory })).toMatchObject({
      code: 'E_RUN_EXISTS',
      message: expect.stringContaining('--extend'),
    });
    expect(await failure({ directory, resume: true })).toMatchObject({
      code: 'E_RESUME_FINISHED',
      message: expect.stringMatching(/2 of 2 epochs[^]*--extend[^]*run:/),
    });
    expect(await failure({ directory: join(root, 'absent'), resume: true })).toMatchObject({
      code: 'E_RESUME_NOTHING',
    });
    expect(await failure({ directory: join(root, 'absent'), extend: 1 })).toMatchObject({ code: 'E_RESUME_NOTHING' });
  });

  describe('stopped after the first epoch', () => {
    const directory = () => join(root, 'half');
    const checkpoint = (name: string) => join(directory(), 'checkpoints', `${name}.safetensors`);
    beforeAll(async () => {
      const abort = new AbortController();
      const onProgress = (event: ProgressEvent): void => {
        if ('phase' in event && event.phase === 'train' && event.done === 6) abort.abort();
      };
      await finetune(await recipe(), { directory: directory(), signal: abort.signal, onProgress });
    }, 120_000);

    test('it cannot be extended, nor resumed with another recipe, whose options are named', async () => {
      await expect(finetune(await recipe(), { directory: directory(), extend: 1 })).rejects.toMatchObject({
        code: 'E_EXTEND_UNFINISHED',
        message: expect.stringMatching(/1 of 2 epochs[^]*--resume/),
      });
      const other = await recipe(', clipNorm: 5, optimizer: { momentum: 0.8 }');
      await expect(finetune(other, { directory: directory(), resume: true })).rejects.toMatchObject({
        code: 'E_RESUME_RECIPE',
        message: expect.stringMatching(
          /train.optimizer.momentum: 0.9 before, 0.8 now; train.clipNorm: 10 before, 5 now/,
        ),
      });
    });

    test('nor with batches of another number of parts', async () => {
      const found = (await findCheckpoint(directory()))!;
      const { recipe } = found.state;
      await expect(loadCheckpoint(found, {} as Model, new Map(), { recipe, workers: 2 })).rejects.toMatchObject({
        code: 'E_RESUME_RECIPE',
      });
    });

    test('a damaged checkpoint is set aside, the one before is used, and the end is the same', async () => {
      const bytes = await readFile(checkpoint('last'));
      bytes[bytes.length - 100]! ^= 1;
      await writeFile(checkpoint('last'), bytes);
      const messages: string[] = [];
      const onProgress = (event: ProgressEvent) => 'message' in event && messages.push(event.message);
      await finetune(await recipe(', checkpointEvery: 3'), { directory: directory(), resume: true, onProgress });
      expect(messages.join('\n')).toMatch(/after step 5 of 10.*damaged.*E_SAFETENSORS_SHA256/);
      const [whole, mended] = [await tensors(result.directory), await tensors(directory())];
      for (const [name, { data }] of whole) expect([name, mended.get(name)?.data]).toEqual([name, data]);
    }, 120_000);

    test('when neither is whole, the error names both', async () => {
      await writeFile(checkpoint('last'), (await readFile(checkpoint('last'))).subarray(0, 1000));
      await writeFile(checkpoint('previous'), '');
      await rm(join(directory(), 'metrics.json'), { force: true });
      await expect(finetune(await recipe(), { directory: directory(), resume: true })).rejects.toMatchObject({
        problems: [{ code: 'E_CHECKPOINT_DAMAGED' }, { code: 'E_CHECKPOINT_DAMAGED' }],
      });
    });
  });

  test('it ends early when the number it is told to watch stays, resumed before the report too, and can be extended', async () => {
    const directory = join(root, 'early');
    const stuck = ', earlyStop: { patience: 1 }, lr: { value: 1.0e-9, perBatch: 32 }';
    const watching = async () =>
      parseRecipe(
        `${recipeText(stuck, 'wasm').replace('epochs: 2', 'epochs: 5')}evaluate: { best: APs }\n`,
        'test.yaml',
      );
    const early = await finetune(await watching(), { directory });
    expect(early.metrics).toMatchObject({ epochs: 2 });
    expect(await readFile(join(directory, 'report.html'), 'utf8')).toMatch(/Stopped early, after 2 of 5 epochs/);
    await expect(finetune(await watching(), { directory, resume: true })).rejects.toMatchObject({
      code: 'E_RESUME_FINISHED',
    });
    await rm(join(directory, 'metrics.json'));
    const again = await finetune(await watching(), { directory, resume: true });
    expect(again.metrics).toMatchObject({ epochs: 2, metric: early.metrics!.metric, loss: early.metrics!.loss });
    const extended = await finetune(await watching(), { directory, extend: 1 });
    expect(extended.metrics).toMatchObject({ epochs: 3 });
  }, 120_000);

  test("extended, it trains on; a new run starts from another's weights", async () => {
    const { directory } = result;
    const before = await tensors(directory);
    const again = await finetune(await recipe(), { directory, extend: 1 });
    expect(again.metrics).toMatchObject({ epochs: 3 });
    expect(await readFile(join(directory, 'recipe.yaml'), 'utf8')).toContain('epochs: 3');
    const name = 'backbone.blocks.3.0.conv_pw.weight';
    expect((await tensors(directory)).get(name)).not.toEqual(before.get(name));

    const plain = parse(recipeText()) as { readonly model: object };
    const text = stringify({ ...plain, model: { ...plain.model, weights: `run:${directory}` } });
    const abort = new AbortController();
    const stop = (event: ProgressEvent) => 'phase' in event && event.phase === 'train' && abort.abort();
    const fresh = join(root, 'fresh');
    const options = { directory: fresh, signal: abort.signal, onProgress: stop };
    await finetune(await parseRecipe(text.replace('epochs: 2', 'epochs: 1'), 'test.yaml'), options);
    const { step } = JSON.parse(await readFile(join(fresh, 'checkpoints', 'last.state.json'), 'utf8')) as {
      step: number;
    };
    expect(step).toBe(1);
  }, 120_000);
});

test('a loss that is not finite stops the run and names the images', async () => {
  const wild = await recipe(', lr: { value: 1.0e+30, perBatch: 4 }, clipNorm: null', 'wasm');
  await expect(finetune(wild, { directory: join(root, 'wild') })).rejects.toMatchObject({
    code: 'E_LOSS_NOT_FINITE',
    message: expect.stringContaining('.jpg'),
  });
}, 60_000);

describe('freezing', () => {
  let still: Awaited<ReturnType<typeof tensors>>;
  beforeAll(async () => {
    const slowest = await recipe(`, freeze: { stages: 3 }, lr: { value: 1.0e-9, perBatch: 32 }`);
    still = await tensors((await finetune(slowest, { directory: join(root, 'still') })).directory);
  }, 120_000);

  test.each(['', ', cache: memory', ', cache: disk'])(
    'the frozen stages keep their bytes%s',
    async (cache) => {
      const directory = join(root, `frozen${cache.replace(/\W+/g, '-')}`);
      await finetune(await recipe(`, freeze: { stages: 3 }${cache}`), { directory });
      const report = await readFile(join(directory, 'report.html'), 'utf8');
      expect(report).toMatch(/[Ff]reeze receipt/);
      if (cache) expect(report).toMatch(/times as fast/);
      const moved = await tensors(directory);
      for (const [name, { data }] of still) {
        const inFrozen = /^backbone\.(conv_stem|bn1|blocks\.[01]\.)/.test(name);
        if (inFrozen) expect([name, moved.get(name)!.data]).toEqual([name, data]);
      }
      const trained = 'backbone.blocks.3.0.conv_pw.weight';
      expect(moved.get(trained)!.data).not.toEqual(still.get(trained)!.data);
    },
    120_000,
  );
});
