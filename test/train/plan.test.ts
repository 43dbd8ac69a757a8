import { describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finetune } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { loadRecipe, parseRecipe } from '../../src/recipe/load.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const recipe = (train: string, more = '') =>
  parseRecipe(
    `task: detection
engine: wasm
data: { format: synthetic, root: ${join(folder, 'data')}, train: { images: 40 }, val: { images: 2 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { ${train.includes('warmup') ? '' : 'warmup: { steps: 1 }, '}${train} }
report: { images: 0 }
${more}`,
    'test.yaml',
  );

const slow = process.env.FINETUNE_SLOW === '1' ? describe : describe.skip;
slow('a run that is planned on the machine', () => {
  test('has numbers in its recipe, trains as planned, goes on with the recipe that asked, and with no other', async () => {
    const directory = join(folder, 'planned');
    const asked = () => recipe('warmup: { steps: 1000000 }, batch: auto, time: 30s'); // longer than any run of 30 s
    const messages: string[] = [];
    const abort = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      if ('message' in event) messages.push(event.message);
      else if (event.phase === 'train') abort.abort();
    };
    const stopped = await finetune(await asked(), { directory, onProgress, signal: abort.signal });
    expect(stopped.metrics).toBeUndefined();
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]); // the rehearsal's folder was removed
    const { train } = await loadRecipe(join(directory, 'recipe.yaml'));
    expect(train).toMatchObject({ time: null, batch: 2, memory: null });
    expect(train.warmup.steps).toBe(Math.max(1, Math.round((train.epochs * (train.stepsPerEpoch ?? 20)) / 20)));
    expect(messages.join('\n')).toMatch(/batch 2: \d+ MiB measured[^]*planned for 30s: \d+ epochs of \d+/);
    const plan = JSON.parse(await readFile(join(directory, 'plan.json'), 'utf8')) as object;
    expect(plan).toMatchObject({ asked: { time: '30s', batch: 'auto' }, found: { batch: 2, epochs: train.epochs } });

    const other = finetune(await recipe('warmup: { steps: 1000000 }, batch: auto, time: 31s'), { directory, resume: true });
    await expect(other).rejects.toMatchObject({ code: 'E_RESUME_RECIPE', message: expect.stringContaining('train.time: null before, "31s" now') }); // prettier-ignore
    const { metrics } = await finetune(await asked(), { directory, resume: true });
    expect(metrics).toMatchObject({ epochs: train.epochs });
    const steps = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as { step: number }); // prettier-ignore
    expect(steps.at(-1)!.step).toBe(train.epochs * (train.stepsPerEpoch ?? 20));
  }, 120_000);

  test('says where there is too little time or memory, or too few epochs for other options', async () => {
    const failure = async (train: string, name: string, more = '') =>
      finetune(await recipe(train, more), { directory: join(folder, name) }).catch((error: unknown) => error);
    const where = { file: 'test.yaml', line: 5 };
    expect(await failure('batch: 2, time: 1s', 'short')).toMatchObject({ problems: [{ code: 'E_TIME_SHORT', where }] });
    expect(await failure('batch: auto, memory: 1', 'small')).toMatchObject({ problems: [{ code: 'E_MEMORY_SHORT', where }] });
    expect(await failure('batch: 2, time: 60s, freeze: { stages: all, unfreeze: [{ epoch: 5000, stages: 0 }] }', 'late')).toMatchObject({
      problems: [{ code: 'E_RECIPE_CONFLICT', where, message: expect.stringContaining('train.time: 60s gives') }],
    });
  }, 120_000);
}); // prettier-ignore

test('options that the plan decides about are not written beside it', async () => {
  await expect(recipe('time: 30s, epochs: 3')).rejects.toMatchObject({ code: 'E_RECIPE_CONFLICT' });
  await expect(recipe('memory: 100')).rejects.toMatchObject({ code: 'E_RECIPE_CONFLICT' });
});
