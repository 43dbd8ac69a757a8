import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createDetection } from '../../src/evaluate/createTask.js';
import { openDatasets } from '../../src/data/dataset.js';
import { loadBatches } from '../../src/data/pipeline/loader.js';
import { openBackend } from '../../src/engine/backend.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { finetune } from '../../src/finetune.js';
import { createModel, type Model } from '../../src/tasks/model.js';
import { openPredictor } from '../../src/evaluate/predictor.js';
import type { ProgressEvent } from '../../src/progress.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { detectionOptions, inputSizes, type DetectionRecipe } from '../../src/run/detectionRecipe.js';
import { taskOptions } from '../../src/run/taskOptions.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { tinyBackbone } from '../tinyBackbone.js';

/** Lying, standing and square images, each with one object. */
const SHAPES = [[96, 64], [64, 96], [64, 64], [120, 80], [90, 64]] as const; // prettier-ignore
const COUNT = 13;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'buckets-'));
  await mkdir(join(root, 'images'));
  const images = Array.from({ length: COUNT }, (_, i) => {
    const [width, height] = SHAPES[i % SHAPES.length]!;
    return { id: i + 1, file_name: `${i}.png`, width, height };
  });
  for (const { id, file_name, width, height } of images) {
    const pixels = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * (id * 7 + 3)) % 251));
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(root, 'images', file_name));
  }
  const annotations = images.map(({ id, width, height }) => {
    const bbox = [width / 4, height / 4, width / 2, height / 2];
    return { id, image_id: id, category_id: 1, bbox, area: bbox[2]! * bbox[3]!, iscrowd: 0 };
  });
  const file = { images, annotations, categories: [{ id: 1, name: 'thing' }] };
  await writeFile(join(root, 'boxes.json'), JSON.stringify(file));
});
afterAll(() => rm(root, { recursive: true }));

const recipeOf = async (engine: string, head = 'retinanet', more = ''): Promise<DetectionRecipe> =>
  (await parseRecipe(
    `
task: detection
engine: ${engine}
data:
  format: coco
  root: ${root}
  train: { annotations: boxes.json, images: images }
  val: { annotations: boxes.json, images: images }
  size: { min: 64, max: 96, buckets: 3 }
model: { head: ${head}, backbone: ${tinyBackbone}, channels: 8 ${head === 'fasterRcnn' ? ', units: 16, proposals: 20, sampledBoxes: 16' : ''} }
train: { epochs: 2, batch: 2, lr: { value: 0.1 } ${more} }
evaluate: { batch: 2, scoreThreshold: 0.001 }
report: { images: 0 }
`,
    'test.yaml',
  )) as DetectionRecipe;

const tensors = async (directory: string) =>
  (await readSafetensors(join(directory, 'checkpoints', 'last.safetensors'))).tensors;

const slow = process.env.FINETUNE_SLOW === '1';

(slow ? test : test.skip)(
  'stopped in the middle of an epoch and resumed, a run over three shapes ends with the same bytes',
  async () => {
    const [whole, parts] = [join(root, 'whole'), join(root, 'parts')];
    const recipe = await recipeOf('wasm', 'retinanet', ', accumulate: 2, ema: { decay: 0.9 }');
    const { metrics } = await finetune(recipe, { directory: whole });
    expect(metrics!.epochs).toBe(2);
    for (const stopAt of [4, undefined]) {
      const abort = new AbortController();
      const onProgress = (event: ProgressEvent): void => {
        if ('phase' in event && event.phase === 'train' && event.done === stopAt) abort.abort();
      };
      const run = await finetune(recipe, { directory: parts, signal: abort.signal, onProgress, resume: stopAt !== 4 });
      expect(run.metrics === undefined).toBe(stopAt !== undefined);
    }
    const [once, twice] = [await tensors(whole), await tensors(parts)];
    expect([...twice.keys()]).toEqual([...once.keys()]);
    for (const [name, { data }] of once) expect([name, twice.get(name)!.data]).toEqual([name, data]);
  },
  240_000,
);

test('an epoch that goes on has the batches that it would have had, and another epoch has others', async () => {
  const recipe = await recipeOf('wasm');
  const { train } = await openDatasets(recipe.data);
  const batches = async (epoch: number, startAt: number) => {
    const loading = {
      ...taskOptions(recipe).images,
      augment: recipe.data.augment,
      size: inputSizes(recipe)[0]!,
      batch: 2,
      seed: 5,
    };
    const found = [];
    for await (const batch of loadBatches(train, { ...loading, epoch, startAt, shuffle: true, dropLast: true })) {
      const { size, indices, samples } = batch;
      for (const { picture } of samples) expect([picture.height, picture.width]).toEqual(size);
      found.push({ size, indices, pixels: samples.map(({ picture }) => picture.data) });
    }
    return found;
  };
  const whole = await batches(0, 0);
  expect(whole).toHaveLength(Math.floor(COUNT / 2));
  expect(new Set(whole.map(({ size }) => size.join())).size).toBe(3);
  expect(await batches(0, 4)).toEqual(whole.slice(4));
  expect((await batches(1, 0)).map(({ indices }) => indices)).not.toEqual(whole.map(({ indices }) => indices));
});

const engines: [engine: string, head: string][] = [['wasm', 'retinanet']];
if (slow) engines.push(['auto', 'retinanet'], ['auto', 'fasterRcnn'], ['auto', 'fcos']);

describe.each(engines)('%s, %s', (engine, head) => {
  test('an image is read in its shape as by a network of that shape alone', async () => {
    const recipe = await recipeOf(engine, head);
    const backend = await openBackend({ engine: recipe.engine });
    const { val, categories } = await openDatasets(recipe.data);
    const options = { ...taskOptions(recipe).images, batch: 2 };
    const predictionsOf = async (sizes: Parameters<typeof createDetection>[1], images = options) => {
      const task = createDetection({ ...detectionOptions(recipe, 1), size: sizes![0]! }, sizes);
      const model: Model = createModel(task, { categories, seed: 1 });
      const predictor = await openPredictor(model, backend, { batch: 2, loss: true });
      const result = await evaluate(model, predictor, val, images).finally(() => predictor.dispose());
      return result.predictions as readonly { image_id: number; score: number; bbox: readonly number[] }[];
    };
    const sizes = inputSizes(recipe);
    expect(sizes).toEqual([[64, 96], [96, 64], [64, 64]]); // prettier-ignore
    const together = await predictionsOf(sizes);
    for (const [i, size] of sizes.entries()) {
      const alone = await predictionsOf([size], { ...options, buckets: [size] });
      const fitting = [0, 1, 2].filter((k) => k === i).map((k) => k + 1); // the first three images have one shape each
      for (const id of fitting) {
        const of = (all: typeof together) => all.filter((one) => one.image_id === id).map(({ score, bbox }) => [score, ...bbox]).flat(); // prettier-ignore
        expect(of(together).length).toBeGreaterThan(0);
        expect(of(together).map((x) => expect.closeTo(x, 4))).toEqual(of(alone));
      }
    }
  }, 240_000);
});

test.each([
  ['model.head: ssdlite', 'data.size', '{ head: ssdlite, backbone: mobilenetv2_035 }', ''],
  ['model.head: yolov1', 'data.size', '{ head: yolov1, backbone: mobilenetv2_035 }', ''],
  ['train.cache: memory', 'train.cache', '{ head: retinanet, backbone: mobilenetv2_035 }', 'train: { cache: memory, freeze: { stages: 2 } }'],
  ['data.resize', 'data.resize', '{ head: retinanet, backbone: mobilenetv2_035 }', ''],
])('%s does not go with several sizes, and the recipe says where', async (_, option, model, train) => {
  const resize = option === 'data.resize' ? ', resize: letterbox' : '';
  const augment = train ? ', augment: false' : '';
  const text = `task: detection\ndata: { format: synthetic, size: { min: 64, max: 96 } ${resize} ${augment} }\nmodel: ${model}\n${train}\n`;
  await expect(parseRecipe(text, 'test.yaml')).rejects.toMatchObject({
    code: 'E_RECIPE_CONFLICT',
    problems: [{ where: { line: option.startsWith('data') ? 2 : 4 }, message: expect.stringContaining(option) }],
  });
}); // prettier-ignore
