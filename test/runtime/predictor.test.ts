import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import ort from 'onnxruntime-node';
import sharp from 'sharp';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { randomStream } from '../../src/random.js';
import { createPredictor, liteRt, onnxRuntime, tensorFlow, type PixelData } from '../../src/runtime.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { writeColourFolders } from '../data/colourFolders.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const data = {
  detection: `format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 2 }, size: [64, 96], categories: [fish, house]`,
  text: `format: synthetic-text, root: ${folder}/words, train: { images: 2 }, val: { images: 2 }, size: 64, evaluateSize: [64, 96]`,
  classification: `format: imageFolder, root: ${folder}/colours, size: 32`,
};
const recipes = {
  'detector that stretches': `task: detection\ndata: { ${data.detection} }\nmodel: { backbone: ${tinyBackbone} }\n`,
  'detector that letterboxes tiles': `task: detection\ndata: { ${data.detection}, resize: letterbox, tiles: { size: 64, overlap: 0.2 } }\nmodel: { backbone: ${tinyBackbone} }\n`,
  classifier: `task: classification\ndata: { ${data.classification} }\nmodel: { backbone: ${tinyBackbone} }\n`,
  reader: `task: text\ndata: { ${data.text} }\nmodel: { backbone: ${tinyBackbone} }\nevaluate: { thresholds: { text: 0, lowText: 0, link: 0.9 } }\n`,
} as const;

/** A photo without hard edges, where pixels that differ by a level change little. */
async function drawPhoto(width: number, height: number, channels: 3 | 4): Promise<PixelData> {
  const random = randomStream(1, 'photo');
  const coarse = Uint8Array.from({ length: 8 * 6 * 3 }, () => random.integer(0, 256));
  const rgb = sharp(coarse, { raw: { width: 8, height: 6, channels: 3 } }).resize(width, height, { fit: 'fill' });
  const { data: pixels } = await (channels === 4 ? rgb.ensureAlpha() : rgb).raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8ClampedArray(pixels), width, height };
}

async function openRuntime(directory: string, options = {}) {
  const session = await ort.InferenceSession.create(join(directory, 'model.onnx'));
  const card: unknown = JSON.parse(await readFile(join(directory, 'model-card.json'), 'utf8'));
  return createPredictor(card, onnxRuntime(ort, session), options);
}

beforeAll(async () => {
  await writeColourFolders(join(folder, 'colours'));
});

const everything = (value: unknown): (number | string)[] =>
  value !== null && typeof value === 'object' ? Object.values(value).flatMap(everything) : [value as number | string];

const isSame = (one: readonly (number | string)[], other: readonly (number | string)[]): boolean =>
  one.length === other.length &&
  one.every((value, i) =>
    typeof value === 'string' ? value === other[i] : Math.abs(value - (other[i] as number)) < 0.5,
  );

/** Share of what is found by random weights that nearly equal scores may turn round. */
const TIES = 0.05;

describe.each(Object.entries(recipes))('the runtime of a %s', (name, recipe) => {
  let directory: string;
  beforeAll(async () => {
    const run = await makeRun(join(folder, name.replaceAll(' ', '-')), recipe);
    ({ directory } = await exportModel(run, { format: 'onnx' }));
  }, 60_000);

  test.each([
    [90, 60, 3],
    [150, 170, 4],
  ] as const)('finds what Node finds in an image of %dx%d', async (width, height, channels) => {
    const photo = await drawPhoto(width, height, channels);
    const options = { scoreThreshold: 0.02 };
    const node = await openModel(directory, options);
    const expected = await node.predict(photo);
    node.dispose();
    const predictor = await openRuntime(directory, options);
    expect(predictor.task).toBe(node.task);
    const found = await predictor.predict(photo);
    expect(expected.length).toBeGreaterThan(0);
    expect(Math.abs(found.length - expected.length)).toBeLessThanOrEqual(expected.length * TIES);
    const list = found.map(everything);
    const lost = expected.filter((one) => !list.some((other) => isSame(everything(one), other)));
    expect(lost.length).toBeLessThanOrEqual(expected.length * TIES);
  });
});

test('a model that was exported with --nms none returns boxes that overlap, in the runtime as in Node', async () => {
  const run = join(folder, 'detector-that-stretches');
  const { directory, card } = await exportModel(run, { format: 'onnx', nms: 'none' });
  expect(directory).toBe(join(run, 'onnx-all-boxes'));
  expect(card.decode).toMatchObject({ nms: { place: 'none', kind: 'none' } });
  const photo = await drawPhoto(90, 60, 3);
  const options = { scoreThreshold: 0.02 };
  const node = await openModel(directory, options);
  const all = (await node.predict(photo)) as FoundObject[];
  node.dispose();
  expect(all).toHaveLength(100); // evaluate.maxDetections
  const found = (await (await openRuntime(directory, options)).predict(photo)).map(everything);
  expect(all.filter((one) => !found.some((other) => isSame(everything(one), other)))).toEqual([]);
  const suppressed = (await (await openRuntime(join(run, 'onnx'), options)).predict(photo)) as readonly FoundObject[];
  expect(all[0]!.score).toBeCloseTo(suppressed[0]!.score, 4);
  const most = (list: readonly FoundObject[]): number =>
    Math.max(...list.flatMap((a, i) => list.slice(i + 1).map((b) => (a.category === b.category ? overlapOf(a.box, b.box) : 0)))); // prettier-ignore
  expect(most(suppressed)).toBeLessThan(0.61); // evaluate.nmsThreshold
  expect(most(all)).toBeGreaterThan(0.7);
});

/** Intersection over union of two boxes [x, y, width, height]. */
function overlapOf(a: FoundObject['box'], b: FoundObject['box']): number {
  const along = (i: 0 | 1): number => Math.max(0, Math.min(a[i] + a[i + 2]!, b[i] + b[i + 2]!) - Math.max(a[i], b[i]));
  const common = along(0) * along(1);
  return common / (a[2] * a[3] + b[2] * b[3] - common);
}

test('an engine that has loaded another model is refused, by name and by size', async () => {
  const directory = join(folder, 'classifier', 'onnx');
  const card: unknown = JSON.parse(await readFile(join(directory, 'model-card.json'), 'utf8'));
  const photo = await drawPhoto(40, 40, 3);
  const model = await ort.InferenceSession.create(join(folder, 'detector-that-stretches', 'onnx', 'model.onnx'));
  const other = {
    run: (feeds: Record<string, ort.Tensor>) =>
      model.run({
        image: new ort.Tensor('float32', new Float32Array(64 * 96 * 3 + 0 * Object.keys(feeds).length), [1, 64, 96, 3]),
      }),
  };
  const named = createPredictor(
    card,
    onnxRuntime(ort, { run: async (feeds: Record<string, ort.Tensor>) => ({ boxes: (await other.run(feeds)).boxes }) }),
  );
  await expect(named.predict(photo)).rejects.toMatchObject({
    code: 'E_RUNTIME_OUTPUT',
    message: expect.stringContaining('no output "logits": its outputs are boxes'),
  });
  await expect(createPredictor(card, onnxRuntime(ort, other)).predict(photo)).rejects.toMatchObject({
    code: 'E_RUNTIME_OUTPUT',
    message: expect.stringContaining('the card says [1, 2]'),
  });
  for (const [width, height] of [
    [2, 4],
    [-2, -2],
    [1.5, 2],
    [0, 0],
  ] as const)
    // prettier-ignore
    await expect(
      createPredictor(card, onnxRuntime(ort, other)).predict({ data: new Uint8Array(12), width, height }),
    ).rejects.toMatchObject({ code: 'E_FEED' });
  await expect(createPredictor(card, onnxRuntime(ort, other)).predict('photo.jpg' as never)).rejects.toMatchObject({
    code: 'E_FEED',
  });
});

test('TensorFlow.js and LiteRT.js are called by names, and their tensors are freed', async () => {
  let open = 0;
  class Tensor {
    constructor(readonly values: Float32Array) {
      open++;
    }
    data = () => Promise.resolve(this.values);
    dispose = () => {
      open--;
    };
    delete = this.dispose;
  }
  const input = { name: 'image', shape: [1, 1], data: Float32Array.of(2) };
  const outputs = { a: Float32Array.of(1), b: Float32Array.of(3) };
  const tf = tensorFlow(
    { tensor: (values) => new Tensor(values) },
    {
      outputs: [{ name: 'a' }, { name: 'b:0' }],
      executeAsync: (_, names) => Promise.resolve(names.map((name) => new Tensor(outputs[name as 'a']))),
    },
  );
  expect(await tf.run(input, ['b', 'a'])).toEqual(outputs);
  const lite = liteRt(
    { Tensor },
    { run: () => Promise.resolve({ a: new Tensor(outputs.a), b: new Tensor(outputs.b) }) },
  );
  expect(await lite.run(input, ['b'])).toEqual({ b: outputs.b });
  expect(open).toBe(0);
  for (const engine of [tf, lite])
    await expect(engine.run(input, ['c'])).rejects.toMatchObject({ code: 'E_RUNTIME_OUTPUT' });
});

test('the bundle takes 20 kB at most, and holds no package and no module of Node', async () => {
  const entry = new URL('../../src/runtime.ts', import.meta.url).pathname;
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    metafile: true,
    platform: 'browser',
    logLevel: 'silent',
  });
  expect(Object.keys(metafile.inputs).filter((file) => !/^src\/|\/src\//.test(file))).toEqual([]);
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(20_000);
});
