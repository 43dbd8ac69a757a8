import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finetune } from '../../src/finetune.js';
import { loadRecipe } from '../../src/recipe/load.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'textrun-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('recipes/tiny-text.yaml runs from drawing to report', async () => {
  const recipe = await loadRecipe('recipes/tiny-text.yaml', { set: [`data.root=${join(root, 'set')}`] });
  const { directory, metrics } = await finetune(recipe, { directory: join(root, 'run') });
  expect(metrics).toMatchObject({ task: 'text', epochs: 2, metric: { metric: 'icdar', protocol: 'iou', images: 4 } });
  expect(metrics!.loss.train).toBeLessThan(1);
  const predictions = JSON.parse(await readFile(join(directory, 'predictions.json'), 'utf8')) as unknown[];
  expect(predictions).toHaveLength(4);
  expect(await readFile(join(directory, 'report.html'), 'utf8')).toContain('hmean');
}, 240_000);

test.each(['craft-synth', 'craft-lite-icdar15', 'craft-lite-icdar13', 'craft-icdar15', 'craft-icdar13'])(
  '%s.yaml is sound',
  async (name) => {
    expect((await loadRecipe(`recipes/${name}.yaml`)).task).toBe('text');
  },
);
