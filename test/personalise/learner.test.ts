import { beforeAll, expect, test } from '@jest/globals';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { openBackend, type PortableBackend } from '../../src/engine/backend.js';
import { createLearner, type Example } from '../../src/personalise.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();

let checkpoint: Uint8Array;
let tf: { getBackend(): string };
let examples: Example[];
let heldBack: Example[];

beforeAll(async () => {
  for (const name of ['train/dark', 'train/light', 'val/dark', 'val/light']) {
    await mkdir(join(folder, 'pictures', name), { recursive: true });
    const picture = sharp({ create: { width: 32, height: 32, channels: 3, background: 'grey' } });
    await picture.png().toFile(join(folder, 'pictures', name, '0.png'));
  }
  const run = await makeRun(
    join(folder, 'run'),
    `task: classification\ndata: { format: imageFolder, root: ${folder}/pictures, size: 32 }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
  checkpoint = await readFile(join(run, 'checkpoints', 'best.safetensors'));
  tf = ((await openBackend({ engine: 'wasm' })) as PortableBackend).tf as typeof tf;
  const picture = (category: string, seed: number): Example => {
    const level = (category === 'dark' ? 40 : 200) + ((seed * 7) % 30);
    return { category, image: { data: new Uint8Array(40 * 30 * 3).fill(level), width: 40, height: 30 } };
  };
  const all = Array.from({ length: 12 }, (_, i) => picture(i % 2 === 0 ? 'dark' : 'light', i));
  [examples, heldBack] = [all.slice(0, 6), all.slice(6)];
});

test.each([0, 1])('learns from a few images in wasm, with the last %i stages', async (stages) => {
  const learner = await createLearner(tf, checkpoint, { stages });
  expect(learner.categories).toEqual(['dark', 'light']);
  const losses: number[] = [];
  await learner.learn(examples, { steps: 30, learningRate: 0.02, onStep: (_, loss) => losses.push(loss) });
  expect(losses).toHaveLength(30);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
  for (const { image, category } of heldBack) expect((await learner.predict(image))[0]!.category).toBe(category);
  learner.dispose();
});

test('learns other classes, of which it knows nothing before', async () => {
  const learner = await createLearner(tf, checkpoint, { categories: ['night', 'day'] });
  const renamed = examples.map(({ image, category }) => ({ image, category: category === 'dark' ? 'night' : 'day' }));
  const [first] = await learner.predict(heldBack[0]!.image);
  expect(first!.probability).toBeCloseTo(0.5);
  await learner.learn(renamed, { steps: 30, learningRate: 0.02 });
  for (const { image, category } of heldBack)
    expect((await learner.predict(image))[0]!.category).toBe(category === 'dark' ? 'night' : 'day');
  learner.dispose();
});

test('refuses what is no classifier, and classes that it has not', async () => {
  await expect(createLearner(tf, Uint8Array.of(1, 2, 3))).rejects.toMatchObject({
    code: expect.stringMatching(/^E_SAFETENSORS/),
  });
  const learner = await createLearner(tf, checkpoint);
  const { image } = examples[0]!;
  for (const given of [[], [{ image, category: 'blue' }]])
    await expect(learner.learn(given)).rejects.toMatchObject({ code: 'E_PERSONALISE_EXAMPLES' });
  learner.dispose();
});
