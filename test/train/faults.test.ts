import { afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSynthetic } from '../../src/data/synthetic/openSynthetic.js';
import { finetune, type FinetuneOptions } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { verifyFreeze } from '../../src/train/checkpoint/receipt.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

/** The engine that starts fastest, since these faults do not depend on arithmetic. */
const root = temporaryFolder();
const text = (train: string, more = ''): string => `
task: detection
engine: wasm
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 12 }, val: { images: 2 }, size: 64, augment: false${more} }
model: { backbone: ${tinyBackbone} }
train: { epochs: 2, batch: 4, ${train} }
report: { images: 0 }
`;
const run = async (directory: string, recipe: string, options: FinetuneOptions = {}) =>
  finetune(await parseRecipe(recipe, 'test.yaml'), { directory: join(root, directory), ...options });
const state = async (directory: string) =>
  JSON.parse(await readFile(join(root, directory, 'checkpoints', 'last.state.json'), 'utf8')) as Record<string, number>;
let images: string[];

beforeAll(async () => {
  const { train } = await openSynthetic({ root: join(root, 'data'), seed: 1, train: 12, val: 2 });
  images = train.annotations.map(({ file }) => file);
});
afterEach(() => {
  jest.restoreAllMocks();
});

test('images that vanish while it runs: the error names one, every step done is saved, and the run goes on when they are back', async () => {
  const gone = images.map((file) => `${file}.gone`);
  const vanish = async (event: ProgressEvent) => {
    if (!('phase' in event && event.phase === 'train' && event.done === 2)) return;
    for (const [i, file] of images.entries()) await rename(file, gone[i]!);
  };
  const options = { onProgress: (event: ProgressEvent) => void vanish(event).catch(() => undefined) };
  const recipe = text('freeze: { stages: 1 }', ', prefetch: 1');
  await expect(run('vanished', recipe, options)).rejects.toMatchObject({ code: 'E_IMAGE_MISSING' });
  for (const [i, file] of images.entries()) await rename(gone[i]!, file).catch(() => undefined);
  expect((await state('vanished')).step).toBeGreaterThanOrEqual(2);
  const { metrics } = await run('vanished', recipe, { resume: true });
  expect(metrics).toMatchObject({ epochs: 2 });
}, 120_000);

test('the freeze receipt of that run is verified from its checkpoints, and a changed bit is found', async () => {
  const directory = join(root, 'vanished');
  const { tensors, checkpoints } = await verifyFreeze(directory);
  expect(Object.keys(tensors)).toContain('backbone.bn1.running_mean');
  expect(checkpoints).toEqual(['best', 'previous', 'last'].map((name) => ({ name, changed: [] })));
  const file = join(directory, 'checkpoints', 'best.safetensors');
  const best = await readSafetensors(file);
  const broken = best.tensors.get('backbone.bn1.running_mean')!.data as Float32Array;
  broken[0]! += 1e-6;
  const metadata = { ...best.metadata };
  delete metadata['sha256'];
  await writeSafetensors(file, best.tensors as Parameters<typeof writeSafetensors>[1], {
    metadata,
    order: 'insertion',
  });
  expect((await verifyFreeze(directory)).checkpoints[0]).toEqual({
    name: 'best',
    changed: ['backbone.bn1.running_mean'],
  });
  await expect(verifyFreeze(root)).rejects.toMatchObject({ code: 'E_FREEZE_NO_RECEIPT' });
});

test.each(['none', 'memory'])(
  'a loss that is not finite names the images and the layer, and keeps the last good state, cache: %s',
  async (cache) => {
    const directory = `wild-${cache}`;
    const recipe = text(
      `lr: { value: 1.0e+30, perBatch: 4 }, warmup: { epochs: 0 }, clipNorm: null, freeze: { stages: 1 }, cache: ${cache}`,
    );
    await expect(run(directory, recipe)).rejects.toMatchObject({
      code: 'E_LOSS_NOT_FINITE',
      message: expect.stringMatching(
        /at step 2, on .*\.jpg.*; the first value that is not finite is \w+ at "(backbone|neck|head)\.[\w.]+"/,
      ),
    });
    expect((await state(directory)).step).toBe(1);
    const { tensors } = await readSafetensors(join(root, directory, 'checkpoints', 'last.safetensors'));
    expect([...tensors.values()].every(({ data }) => (data as Float32Array).every(Number.isFinite))).toBe(true);
  },
  120_000,
);

test.each([
  ['makes the validation loss overflow', '1.0e+36', /the loss on .* is (NaN|-?Infinity), on .*\.jpg/],
  ['makes weights overflow', '3.0e+38', /after step 1 the values of "[\w.]+"( and \d+ more)? are not finite/],
])(
  'the last step of an epoch %s: nothing of it is kept',
  async (what, lr, message) => {
    const directory = what.replaceAll(' ', '-');
    const wild = text(`stepsPerEpoch: 1, lr: { value: ${lr}, perBatch: 4 }, warmup: { epochs: 0 }, clipNorm: null`);
    const error = { code: 'E_LOSS_NOT_FINITE', message: expect.stringMatching(message) as unknown };
    await expect(run(directory, wild)).rejects.toMatchObject(error);
    expect(await readdir(join(root, directory, 'checkpoints'))).toEqual([]);
    await expect(run(directory, wild, { resume: true })).rejects.toMatchObject(error);
  },
  120_000,
);

test('a checkpoint whose values are not finite is not resumed from', async () => {
  const abort = new AbortController();
  const onProgress = (event: ProgressEvent) => {
    if ('phase' in event && event.phase === 'train') abort.abort();
  };
  await run('old', text(''), { signal: abort.signal, onProgress });
  const file = join(root, 'old', 'checkpoints', 'last.safetensors');
  const { tensors, metadata } = await readSafetensors(file);
  (tensors.get('backbone.bn1.running_mean')!.data as Float32Array)[0] = NaN;
  const others = { ...metadata };
  delete others['sha256'];
  const saved = tensors as Parameters<typeof writeSafetensors>[1];
  await writeSafetensors(file, saved, { metadata: others, order: 'insertion' });
  await expect(run('old', text(''), { resume: true })).rejects.toMatchObject({
    code: 'E_CHECKPOINT_DAMAGED',
    message: expect.stringContaining('"backbone.bn1.running_mean" in the checkpoint are not finite') as unknown,
  });
}, 120_000);

test('a validation part of which no image can be read has no score', async () => {
  const { val } = await openSynthetic({ root: join(root, 'data'), seed: 1, train: 12, val: 2 });
  const files = val.annotations.map(({ file }) => file);
  const move = (from: string, to: string) => Promise.all(files.map((file) => rename(`${file}${from}`, `${file}${to}`)));
  const onProgress = (event: ProgressEvent) => {
    if ('phase' in event && event.phase === 'train' && event.done === 1) void move('', '.gone').catch(() => undefined);
  };
  const dropping = text('freeze: { stages: 1 }', ', brokenImages: drop, prefetch: 1');
  await expect(run('unread', dropping, { onProgress })).rejects.toMatchObject({ code: 'E_DATA_EMPTY' });
  await move('.gone', '');
}, 120_000);

test('a clock that jumps changes no time of the run', async () => {
  const begin = performance.now();
  const real = Date.now;
  let jump = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => real() + jump);
  const onProgress = (event: ProgressEvent) => {
    if ('phase' in event && event.phase === 'train') jump = event.done % 2 === 0 ? -1e9 : 1e9;
  };
  const { metrics } = await run('clock', text('checkpointEvery: 1h'), { onProgress });
  expect(metrics!.seconds).toBeGreaterThan(0);
  expect(metrics!.seconds).toBeLessThan((performance.now() - begin) / 1000);
}, 120_000);

test('a run that ends while its report is written makes the report when it resumes', async () => {
  const directory = join(root, 'unreported');
  const onProgress = (event: ProgressEvent) => {
    if ('phase' in event && event.phase === 'report') throw new Error('killed');
  };
  await expect(run('unreported', text('evaluateEvery: 2'), { onProgress })).rejects.toThrow('killed');
  const before = await readFile(join(directory, 'checkpoints', 'last.safetensors'));
  const { metrics } = await run('unreported', text('evaluateEvery: 2'), { resume: true });
  expect(metrics).toMatchObject({ epochs: 2 });
  expect(await readFile(join(directory, 'report.html'), 'utf8')).toContain('Curves');
  expect(await readFile(join(directory, 'checkpoints', 'last.safetensors'))).toEqual(before); // nothing was trained anew
}, 120_000);

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const)(
  '%s saves, prints the command that resumes, and exits with %i',
  async (signal, exitCode) => {
    const file = join(root, 'recipe.yaml');
    const directory = join(root, signal);
    await rm(directory, { recursive: true, force: true });
    await writeFile(file, text('evaluateEvery: 2').replace('epochs: 2', 'epochs: 500'));
    const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [command, file, '--out', directory]);
    let said = '';
    let killed = false; // a second signal would kill the process
    child.stderr.on('data', (data: Buffer) => {
      said += data.toString();
      if (!killed && /^train \d/m.test(said)) killed = child.kill(signal);
    });
    const printed = child.stdout.toArray();
    expect(await once(child, 'exit')).toEqual([exitCode, null]);
    expect(said).toContain(`stopped; to resume, run: finetune ${file} --out ${directory} --resume`);
    expect(Buffer.concat((await printed) as Buffer[]).toString()).toBe(`${directory}\n`);
    expect((await state(signal)).step).toBeGreaterThanOrEqual(1);
  },
  120_000,
);

test('whoever reads the output goes away: the run goes on to its end', async () => {
  const file = join(root, 'recipe.yaml');
  const directory = join(root, 'unheard');
  await writeFile(file, text('evaluateEvery: 2'));
  const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [command, file, '--out', directory]);
  child.stdout.destroy();
  child.stderr.once('data', () => child.stderr.destroy());
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(JSON.parse(await readFile(join(directory, 'metrics.json'), 'utf8'))).toMatchObject({ epochs: 2 });
}, 120_000);
