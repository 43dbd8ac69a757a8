import { afterAll, beforeAll, expect } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { exportModel } from '../../src/api/exportModel.js';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { emitInference } from '../../src/tensorflow/inference.js';
import { encodeGraphModel } from '../../src/tensorflow/tfjs/graphModel.js';
import { tfjsRules } from '../../src/tensorflow/tfjs/rules.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { distance, feeds, labels, params, program } from '../tensorflow/allOps.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { inBrowserSlowly, openPage, type Page } from './chromium.js';

/** Exported graph models in pages: TensorFlow.js on its backend WebGL, and the package coco-ssd. */

const folder = temporaryFolder();
let page: Page;
const code = `
import * as tf from '@tensorflow/tfjs';
import * as cocoSsd from '@tensorflow-models/coco-ssd';
export async function run(feeds, names) {
  await tf.setBackend('webgl');
  const model = await tf.loadGraphModel('/ops/model.json');
  const fed = feeds.map(([name, values, shape, dtype]) => [name, tf.tensor(values.map((value) => value ?? NaN), shape, dtype)]);
  const found = await model.executeAsync(Object.fromEntries(fed), names);
  const values = await Promise.all(found.map((one) => one.data()));
  return { backend: tf.getBackend(), values: values.map((one) => [...one]) };
}
export async function detect(minScore) {
  const image = new Image();
  image.src = '/photos/photo.png';
  await image.decode();
  const detector = await cocoSsd.load({ modelUrl: '/model/model.json' });
  return detector.detect(image, 20, minScore);
}
`;

beforeAll(async () => {
  for (const name of ['ops', 'photos']) mkdirSync(join(folder, name));
  if (process.env.FINETUNE_SLOW !== '1') return;
  const { json, shards } = encodeGraphModel(emitInference(program, params, tfjsRules), () => 'float32');
  writeFileSync(join(folder, 'ops', 'model.json'), JSON.stringify(json));
  for (const [name, bytes] of shards) writeFileSync(join(folder, 'ops', name), bytes);
  const folders = { ops: join(folder, 'ops'), photos: join(folder, 'photos'), model: join(folder, 'coco') };
  page = await openPage({ code, folders, webgl: true });
}, 120_000);
afterAll(() => (page as Page | undefined)?.close());

inBrowserSlowly(
  'WebGL computes every op of a graph model as the portable engine does',
  async () => {
    const portable = await compile({ program }, await openBackend({ engine: 'wasm' }));
    await portable.write(params);
    const expected = await portable.run('program', feeds);
    portable.dispose();
    const inputs = emitInference(program, params, tfjsRules).inputs.map(({ key, shape, dtype }) => [
      key,
      [...feeds[key]!],
      shape,
      dtype,
    ]);
    const names = Object.keys(expected);
    const found = await page.call<{ backend: string; values: number[][] }>('run', inputs, names);
    expect(found.backend).toBe('webgl');
    const wrong = names.filter((name, i) => !(distance(found.values[i]!, expected[name]!) < 1e-4));
    expect(wrong.map((name) => labels.get(name) ?? name)).toEqual([]);
  },
  300_000,
);

inBrowserSlowly(
  'coco-ssd from npm runs an exported detector in a page, and finds its classes in the photo',
  async () => {
    const run = await makeRun(
      join(folder, 'run'),
      `task: detection\ndata: { format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 2 }, size: [64, 96], categories: [fish, house] }\nmodel: { head: ssdlite, backbone: ${tinyBackbone} }\n`,
    );
    const { card } = await exportModel(run, { for: 'coco-ssd', out: join(folder, 'coco') });
    const background = { r: 90, g: 120, b: 30 };
    await sharp({ create: { width: 300, height: 180, channels: 3, background } })
      .png()
      .toFile(join(folder, 'photos', 'photo.png'));
    const found = await page.call<{ bbox: number[]; class: string; score: number }[]>('detect', 0.05);
    expect(found.length).toBeGreaterThan(0);
    const { classNames } = card.decode['coco-ssd'] as { classNames: Record<string, string> };
    for (const one of found) {
      expect(['fish', 'house']).toContain(classNames[one.class]);
      expect(one.bbox[0]! + one.bbox[2]!).toBeLessThanOrEqual(301);
    }
    expect(page.messages.filter((line) => line.includes('executeAsync') || line.includes('model.execute()'))).toEqual(
      [],
    );
  },
  300_000,
);
