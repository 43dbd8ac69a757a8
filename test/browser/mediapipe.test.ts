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

/** Models that are exported for MediaPipe, in MediaPipe as npm has it. Photos have the size of the input: nothing is resized. */

const code = `
import { FilesetResolver, ImageClassifier, ObjectDetector } from '@mediapipe/tasks-vision';
const load = (src) => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve(image);
  image.onerror = () => reject(new Error('no image at ' + src));
  image.src = src;
});
const open = async (Task, model, options) =>
  Task.createFromOptions(await FilesetResolver.forVisionTasks('/wasm'), {
    baseOptions: { modelAssetPath: '/' + model + '/model.tflite', delegate: 'CPU' }, ...options,
  });
export async function detect(model, photo, options) {
  const detector = await open(ObjectDetector, model, options);
  const { detections } = detector.detect(await load(photo));
  return detections.flatMap(({ boundingBox: { originX, originY, width, height }, categories }) =>
    categories.map(({ categoryName, score }) => ({ category: categoryName, score, box: [originX, originY, width, height] })));
}
export async function classify(model, photo) {
  const classifier = await open(ImageClassifier, model, {});
  return classifier.classify(await load(photo)).classifications[0].categories.map(({ categoryName, score }) =>
    ({ category: categoryName, probability: score }));
}`;

const folder = temporaryFolder();
const below = (...names: string[]) => join(folder, ...names);
let page: Page | undefined;
let detector: string;
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
  await drawNoise(below('photos', 'wide.png'), 96, 64);
  await drawNoise(below('photos', 'square.png'), 32, 32);
  for (const colour of ['red', 'blue']) {
    for (const part of ['train', 'val']) {
      await mkdir(below('colours', part, colour), { recursive: true });
      const image = sharp({ create: { width: 32, height: 32, channels: 3, background: colour } });
      await image.png().toFile(below('colours', part, colour, '0.png'));
    }
  }
  const data = `{ format: synthetic, root: ${folder}/drawn, train: { images: 4 }, val: { images: 4 }, size: [64, 96], categories: [fish, house] }`;
  detector = await makeRun(
    below('detector'),
    `task: detection\ndata: ${data}\nmodel: { backbone: ${tinyBackbone} }\nevaluate: { scoreThreshold: 0.1 }\n`,
  );
  classifier = await makeRun(
    below('classifier'),
    `task: classification\ndata: { format: imageFolder, root: ${folder}/colours, size: 32, resize: stretch }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
  await exportModel(detector, { for: 'mediapipe' });
  await exportModel(classifier, { for: 'mediapipe' });
  page = await openPage({
    code,
    webgl: true,
    folders: {
      wasm: fileURLToPath(new URL('../../node_modules/@mediapipe/tasks-vision/wasm', import.meta.url)),
      detector: below('detector', 'mediapipe'),
      classifier: below('classifier', 'mediapipe'),
      photos: below('photos'),
    },
  });
}, 120_000);
afterAll(() => page?.close());

inBrowserSlowly(
  'ObjectDetector finds the boxes of the checkpoint',
  async () => {
    const model = await openModel(detector, { scoreThreshold: 0.1 });
    const expected = (await model.predict(below('photos', 'wide.png'))) as readonly Found[];
    model.dispose();
    const found = await page!.call<Found[]>('detect', 'detector', '/photos/wide.png', {
      maxResults: 100,
      scoreThreshold: 0.1,
    });
    expect(found).toHaveLength(expected.length);
    // MediaPipe rounds boxes to pixels, and joins those of several classes.
    const isNear = (a: Found, b: Found): boolean =>
      a.category === b.category &&
      Math.abs(a.score - b.score) < 2e-3 &&
      a.box.every((x, i) => Math.abs(x - b.box[i]!) < 1.1);
    expect(expected.filter((one) => !found.some((other) => isNear(one, other)))).toEqual([]);
  },
  120_000,
);

interface Found {
  readonly category: string;
  readonly score: number;
  readonly box: readonly number[];
}

inBrowserSlowly(
  'ImageClassifier names the classes of the checkpoint',
  async () => {
    const model = await openModel(classifier);
    const expected = await model.predict(below('photos', 'square.png'));
    model.dispose();
    const found = await page!.call<unknown>('classify', 'classifier', '/photos/square.png');
    const near = (expected as readonly FoundClass[]).map(({ category, probability }) => ({
      category,
      probability: expect.closeTo(probability, 3),
    }));
    expect(found).toEqual(near);
  },
  120_000,
);
