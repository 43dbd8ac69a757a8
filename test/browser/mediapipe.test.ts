import { afterAll, beforeAll, expect } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import type { FoundClass } from '../../src/tasks/found.js';
import { randomStream } from '../../src/random.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { inBrowserSlowly, openPage, type Page } from './chromium.js';

/** A classifier that is exported for MediaPipe, in MediaPipe as npm has it; detectors are in export/consumers.test.ts. The photo has
 *  the size of the input: nothing is resized. */

const code = `
import { FilesetResolver, ImageClassifier } from '@mediapipe/tasks-vision';
const load = (src) => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve(image);
  image.onerror = () => reject(new Error('no image at ' + src));
  image.src = src;
});
export async function classify(photo) {
  const files = await FilesetResolver.forVisionTasks('/wasm');
  const baseOptions = { modelAssetPath: '/classifier/model.tflite', delegate: 'CPU' };
  const classifier = await ImageClassifier.createFromOptions(files, { baseOptions });
  return classifier.classify(await load(photo)).classifications[0].categories.map(({ categoryName, score }) =>
    ({ category: categoryName, probability: score }));
}`;

const folder = temporaryFolder();
const below = (...names: string[]) => join(folder, ...names);
let page: Page | undefined;
let classifier: string;

async function drawNoise(file: string, width: number, height: number): Promise<void> {
  const random = randomStream(1, file);
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
}

beforeAll(async () => {
  if (process.env.FINETUNE_SLOW !== '1') return;
  await mkdir(below('photos'));
  await drawNoise(below('photos', 'square.png'), 32, 32);
  for (const colour of ['red', 'blue']) {
    for (const part of ['train', 'val']) {
      await mkdir(below('colours', part, colour), { recursive: true });
      const image = sharp({ create: { width: 32, height: 32, channels: 3, background: colour } });
      await image.png().toFile(below('colours', part, colour, '0.png'));
    }
  }
  classifier = await makeRun(
    below('classifier'),
    `task: classification\ndata: { format: imageFolder, root: ${folder}/colours, size: 32, resize: stretch }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
  await exportModel(classifier, { for: 'mediapipe' });
  page = await openPage({
    code,
    webgl: true,
    folders: {
      wasm: fileURLToPath(new URL('../../node_modules/@mediapipe/tasks-vision/wasm', import.meta.url)),
      classifier: below('classifier', 'mediapipe'),
      photos: below('photos'),
    },
  });
}, 120_000);
afterAll(() => page?.close());

inBrowserSlowly(
  'ImageClassifier names the classes of the checkpoint',
  async () => {
    const model = await openModel(classifier);
    const expected = await model.predict(below('photos', 'square.png'));
    model.dispose();
    const found = await page!.call<unknown>('classify', '/photos/square.png');
    const near = (expected as readonly FoundClass[]).map(({ category, probability }) => ({
      category,
      probability: expect.closeTo(probability, 3),
    }));
    expect(found).toEqual(near);
  },
  120_000,
);
