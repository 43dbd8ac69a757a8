import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type * as CocoSsd from '@tensorflow-models/coco-ssd';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import sharp from 'sharp';
import { exportModel } from '../../src/api/exportModel.js';
import { meanColour } from '../../src/data/image/meanColour.js';
import { openBackend, type PortableBackend } from '../../src/engine/backend.js';
import { openGraphModel } from '../../src/engine/tfjs/graphModel.js';
import { placeClasses } from '../../src/export/targets/cocoSsd/classes.js';
import * as b from '../../src/graph/builder.js';
import type { Program } from '../../src/graph/program.js';
import { readView } from '../../src/predict/readImage.js';
import type { ModelCard } from '../../src/modelFolder/card.js';
import type { ModelDescription } from '../../src/tasks/description/description.js';
import { PHOTO_INPUT, takeAnySize } from '../../src/tensorflow/tfjs/anySize.js';
import { encodeGraphModel } from '../../src/tensorflow/tfjs/graphModel.js';
import { emitInference } from '../../src/tensorflow/inference.js';
import { tfjsRules } from '../../src/tensorflow/tfjs/rules.js';
import { serveFolders } from '../browser/serve.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
const require = createRequire(import.meta.url);
const resizes = ['stretch', 'letterbox'] as const;
const WIDTH = 150;
const HEIGHT = 90;

/** A photo that is smooth, as photos are. */
const photo = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
  const [x, y, channel] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH), i % 3];
  return Math.round(127 + 60 * Math.sin(x / (4 + channel)) + 60 * Math.cos(y / (5 - channel)));
});

describe.each(resizes)('a photo that is brought to the size of the net by %s', (resize) => {
  const size = [36, 48] as const;
  const run = async (shape: readonly [number, number], pixels: Uint8Array) => {
    const graph = b.createGraph();
    const image = b.input(graph, 'image', [1, ...size, 3]);
    const whole = b.constant(graph, [0, 0, 1, 1], [1, 1, 1, 4]);
    const program: Program = { outputs: { pixels: b.mul(image, 1), boxes: whole } };
    const emitted = takeAnySize(emitInference(program, new Map(), tfjsRules), {
      image: 'image',
      boxes: 'boxes',
      size,
      resize,
      fill: meanColour,
    });
    const directory = join(folder, `${resize}-${shape.join('x')}`);
    mkdirSync(directory);
    const { json, shards } = encodeGraphModel(emitted, () => 'float32');
    await writeFile(join(directory, 'model.json'), JSON.stringify(json));
    for (const [name, bytes] of shards) await writeFile(join(directory, name), bytes);
    const model = await openGraphModel(directory, {
      inputs: [{ name: PHOTO_INPUT, shape: [1, ...shape, 3], dtype: 'int32' }],
      outputs: [
        { name: 'pixels', shape: [1, ...size, 3] },
        { name: 'boxes', shape: [1, 1, 1, 4] },
      ],
    });
    const found = await model.run('evaluate', { [PHOTO_INPUT]: Int32Array.from(pixels) });
    model.dispose();
    return found;
  };

  test('has the pixels that training sees, and boxes come back to it', async () => {
    const png = await sharp(photo, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .png()
      .toBuffer();
    const images = { resize, interpolation: 'bilinear' } as const;
    const description = { task: 'detection', size, images } as unknown as ModelDescription;
    const { pixels: expected } = await readView(png, { width: WIDTH, height: HEIGHT }, description);
    const { pixels, boxes } = await run([HEIGHT, WIDTH], photo);
    const differences = pixels!.map((value, i) => Math.abs(value - expected[i]!));
    expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(3);
    // The net's whole input; a letterboxed photo of 48 × 28.8 covers the rows from 4 to 32.
    const [above, below] = resize === 'letterbox' ? [4 / 28, 4 / 28] : [0, 0];
    for (const [i, value] of [-above, 0, 1 + below, 1].entries()) expect(boxes![i]).toBeCloseTo(value, 4);
  });

  test('is left as it is if it has that size', async () => {
    const own = Uint8Array.from({ length: size[0] * size[1] * 3 }, (_, i) => (i * 37) % 256);
    const { pixels } = await run(size, own);
    expect(Math.max(...pixels!.map((value, i) => Math.abs(value - own[i]!)))).toBeLessThan(0.02);
  });
});

test('a class has the column of its name, and the others those that are left', () => {
  const { columns, columnOf, names } = placeClasses([
    'fish',
    'stop sign',
    'person',
    ...Array.from({ length: 11 }, (_, i) => `c${i}`),
  ]);
  expect(columnOf.slice(0, 4)).toEqual([1, 12, 0, 2]);
  expect(columnOf.slice(-3)).toEqual([10, 13, 14]); // COCO has no id 12, and 13 is taken
  expect(columns).toBe(15);
  expect(names).toMatchObject({ bicycle: 'fish', person: 'person', 'stop sign': 'stop sign', car: 'c0' });
});

describe.each(resizes)('the package coco-ssd runs a model that %s photos', (resize) => {
  let card: ModelCard;
  let directory: string;
  let server: Awaited<ReturnType<typeof serveFolders>>;
  beforeAll(async () => {
    const run = await makeRun(
      join(folder, `run-${resize}`),
      `task: detection\ndata: { format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 2 }, size: [64, 96], resize: ${resize}, categories: [fish, house] }\nmodel: { head: ssdlite, backbone: ${tinyBackbone} }\n`,
    );
    ({ card, directory } = await exportModel(run, { for: 'coco-ssd' }));
    server = await serveFolders({ model: directory });
  }, 60_000);
  afterAll(() => server.close());

  test('and finds the boxes that the outputs say', async () => {
    expect(card).toMatchObject({ format: 'tfjs', for: 'coco-ssd', call: 'executeAsync' });
    const tf = ((await openBackend({ engine: 'wasm' })) as PortableBackend).tf as typeof Tfjs;
    const { load } = require('@tensorflow-models/coco-ssd') as typeof CocoSsd;
    const detector = await load({ modelUrl: `${server.url}/model/model.json` });
    const pixels = tf.tensor3d(Int32Array.from(photo), [HEIGHT, WIDTH, 3], 'int32');
    const found = await detector.detect(pixels, 20, 0.05);
    expect(found.length).toBeGreaterThan(0);
    const { classNames } = card.decode['coco-ssd'] as { classNames: Record<string, string> };
    for (const { class: name, bbox } of found) {
      expect(['fish', 'house']).toContain(classNames[name]);
      expect(bbox[0]).toBeGreaterThanOrEqual(-1);
      expect(bbox[0] + bbox[2]).toBeLessThanOrEqual(WIDTH + 1);
    }
    pixels.dispose();
    detector.dispose();
  });
});
