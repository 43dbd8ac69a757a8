import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { finetune } from '../../src/finetune.js';
import type { ProgressEvent } from '../../src/progress.js';
import { loadRecipe, parseRecipe } from '../../src/recipe/load.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { openServer, type LocalServer } from '../fetch/localServer.js';

const SECRET = 'S3CRET';
const root = temporaryFolder();
const photos = join(root, 'My Photos');
const environment = { ...process.env };
let server: LocalServer;

beforeAll(async () => {
  process.env['XDG_CACHE_HOME'] = join(root, 'cache');
  for (const [part, count] of [['train', 4], ['val', 2]] as const)
    for (const name of ['red', 'blue']) {
      await mkdir(join(photos, part, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const picture = sharp({ create: { width: 40, height: 40 + i, channels: 3, background: name } });
        await picture.jpeg().toFile(join(photos, part, name, `${i}.jpg`));
      }
    } // prettier-ignore
  await finetune(await recipe(), { directory: join(root, 'first') });
  server = await openServer();
  server.files.set('/w.safetensors', await readFile(join(root, 'first', 'checkpoints', 'best.safetensors')));
}, 120_000);
afterAll(async () => {
  process.env = environment;
  await server.close();
});

const recipe = (weights?: string) =>
  parseRecipe(
    `
task: classification
engine: wasm
data: { format: imageFolder, root: '${photos}', size: 32, augment: { cropArea: false, colour: 0 } }
model: { backbone: ${tinyBackbone}${weights === undefined ? '' : `, weights: '${weights}'`} }
train: { epochs: 2, batch: 4, warmup: { epochs: 0 }, logEvery: 1 }
report: { images: 0 }
`,
    'test.yaml',
  );
const address = (secret = SECRET) => `${server.url}/w.safetensors?token=${secret}`;

/** The files below a folder whose name or content has a text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const { name, parentPath, ...entry } of entries.map((one) => Object.assign(one, { isLeaf: one.isFile() }))) {
    const content = entry.isLeaf ? await readFile(join(parentPath, name), 'latin1') : '';
    if (name.includes(text) || content.includes(text)) found.push(name);
  }
  return found;
}

describe('a run whose weights have an address with a token', () => {
  const directory = join(root, 'run');
  const said: string[] = [];
  const onProgress = (event: ProgressEvent) => void said.push(JSON.stringify(event));

  test('keeps the token nowhere, and is continued with the recipe that has it, without a cache', async () => {
    const abort = new AbortController();
    const stop = (event: ProgressEvent): void => {
      onProgress(event);
      if ('phase' in event && event.phase === 'train' && event.done === 2) abort.abort();
    };
    await finetune(await recipe(address()), { directory, signal: abort.signal, onProgress: stop });
    expect(await readFile(join(directory, 'recipe.yaml'), 'utf8')).toContain('/w.safetensors?token=***');
    await rm(join(root, 'cache'), { recursive: true });
    const renewed = await recipe(address(`${SECRET}2`)); // a token may be another one the next day
    const { metrics } = await finetune(renewed, { directory, resume: true, onProgress });
    expect(metrics).toBeDefined();

    expect(said.some((line) => line.includes('token=***'))).toBe(true);
    expect(said.filter((line) => line.includes(SECRET))).toEqual([]);
    for (const folder of [directory, join(root, 'cache')]) expect(await filesWith(folder, SECRET)).toEqual([]);
  }, 120_000);

  test('is extended with its own recipe while the weights are in the cache', async () => {
    const own = await loadRecipe(join(directory, 'recipe.yaml'));
    expect((await finetune(own, { directory, extend: 1 })).metrics?.epochs).toBe(3);
    await rm(join(root, 'cache'), { recursive: true });
    const error = finetune(await loadRecipe(join(directory, 'recipe.yaml')), { directory, extend: 1 });
    await expect(error).rejects.toMatchObject({ code: 'E_WEIGHTS_URI' });
  }, 120_000);

  test('has a report that tells nothing of this machine', async () => {
    const report = await readFile(join(directory, 'report.html'), 'utf8');
    for (const text of [root, photos, SECRET]) expect(report).not.toContain(text);
    expect(report).toContain('root: My Photos');
  });
});
