import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock, type Lock } from '../../src/files/lock.js';
import { finetune, type FinetuneResult } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { readSafetensors } from '../../src/weights/safetensors.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-'));
});
afterAll(() => rm(root, { recursive: true }));

const recipeText = (more = ''): string => `
task: detection
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 20 }, val: { images: 5 }, size: 96 ${more.includes('cache') ? ', augment: { flip: 0, photometric: false, expand: 0, iouCrop: false }' : ''} }
model: { backbone: mobilenetv2_035 }
train: { epochs: 2, batch: 4, warmup: { epochs: 0.5 }, logEvery: 2${more} }
report: { images: 2 }
`;
const recipe = (more?: string) => parseRecipe(recipeText(more), 'test.yaml');
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
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if ('phase' in event && event.phase === 'train' && event.done === 7) abort.abort();
    };
    const stopped = await finetune(await recipe(), { directory, signal: abort.signal, onProgress });
    expect(stopped.metrics).toBeUndefined();
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

  test('resumed with another recipe, it refuses', async () => {
    const other = await recipe(', clipNorm: 5');
    await expect(finetune(other, { directory: result.directory, resume: true })).rejects.toMatchObject({
      code: 'E_RESUME_RECIPE',
    });
  });
});

test('a loss that is not finite stops the run and names the images', async () => {
  const wild = await recipe(', lr: { value: 1.0e+30, perBatch: 4 }, clipNorm: null');
  await expect(finetune(wild, { directory: join(root, 'wild') })).rejects.toMatchObject({
    code: 'E_LOSS_NOT_FINITE',
    message: expect.stringContaining('.jpg'),
  });
}, 60_000);

describe('freezing', () => {
  test.each(['', ', cache: memory', ', cache: disk'])(
    'the frozen stages keep their bytes%s',
    async (cache) => {
      const directory = join(root, `frozen${cache.replace(/\W+/g, '-')}`);
      const messages: string[] = [];
      const frozen = await recipe(`, freeze: { stages: 3 }${cache}`);
      await finetune(frozen, { directory, onProgress: (event) => 'message' in event && messages.push(event.message) });
      const report = await readFile(join(directory, 'report.html'), 'utf8');
      expect(report).toMatch(/[Ff]reeze receipt/);
      if (cache) expect(report).toMatch(/times as fast/);
      const before = await finetune(await recipe(`, freeze: { stages: 3 }, lr: { value: 1.0e-9, perBatch: 32 }`), {
        directory: `${directory}-still`,
      });
      const [moved, still] = [await tensors(directory), await tensors(before.directory)];
      for (const [name, { data }] of still) {
        const inFrozen = /^backbone\.(conv_stem|bn1|blocks\.[01]\.)/.test(name);
        if (inFrozen) expect([name, moved.get(name)!.data]).toEqual([name, data]);
      }
      expect(moved.get('backbone.blocks.3.0.conv_pw.weight')!.data).not.toEqual(
        still.get('backbone.blocks.3.0.conv_pw.weight')!.data,
      );
    },
    120_000,
  );
});
