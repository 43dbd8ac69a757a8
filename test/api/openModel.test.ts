import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { openModel } from '../../src/api/openModel.js';
import type { FoundObject } from '../../src/tasks/found.js';
import type { OpenedModel } from '../../src/predict/openModel.js';
import { numberCategories } from '../../src/data/categories.js';
import { openDatasets } from '../../src/data/dataset.js';
import type { Annotation } from '../../src/data/sample.js';
import { createClassification, createDetection, createText } from '../../src/evaluate/createTask.js';
import { hashFile } from '../../src/files/hashFile.js';
import { finetune } from '../../src/finetune.js';
import { randomStream } from '../../src/random.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel } from '../../src/tasks/model.js';
import { saveModel } from '../../src/train/modelWeights.js';
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone, tinyTable } from '../tinyBackbone.js';

const folder = temporaryFolder();
const photo = join(folder, 'photo.png');
const [width, height] = [90, 60];

beforeAll(async () => {
  const random = randomStream(1, 'photo');
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(photo);
});

async function opened<M extends OpenedModel['task']>(task: M, path: string, options = {}) {
  const model = await openModel(path, options);
  expect(model.task).toBe(task);
  return model as Extract<OpenedModel, { task: M }>;
}

describe.each([
  ['a run', 'tiles: false'],
  ['a run that learns from tiles', 'tiles: { size: 160 }'],
])('%s', (_, tiles) => {
  const directory = join(folder, tiles.length > 12 ? 'tiles' : 'run');
  let predicted: { image_id: number; category_id: number; bbox: number[]; score: number }[];
  let annotations: readonly Annotation[];
  beforeAll(async () => {
    const recipe = await parseRecipe(
      `
task: detection
data: { format: synthetic, root: ${join(folder, 'drawn')}, train: { images: 8 }, val: { images: 2 }, size: [64, 96], resize: letterbox, categories: [fish, house], ${tiles}, augment: false }
model: { backbone: ${tinyBackbone} }
train: { epochs: 1, batch: 4, warmup: { epochs: 0 } }
evaluate: { batch: 1 }
report: { images: 0 }
`,
      'test.yaml',
    );
    await finetune(recipe, { directory });
    ({ annotations } = (await openDatasets(recipe.data)).val);
    predicted = JSON.parse(await readFile(join(directory, 'predictions.json'), 'utf8')) as typeof predicted;
  }, 120_000);

  test('finds in the files of the validation part what the run found', async () => {
    const model = await opened('detection', directory, { scoreThreshold: 0.001 });
    expect(annotations).toHaveLength(2);
    for (const { imageId, file } of annotations) {
      const found = await model.predict(file);
      const theirs = predicted.filter(({ image_id }) => image_id === imageId);
      expect(theirs.length).toBeGreaterThan(0);
      expect(found.map(({ categoryId }) => categoryId)).toEqual(theirs.map(({ category_id }) => category_id));
      for (const [i, { score, box }] of found.entries()) {
        expect(score).toBeCloseTo(theirs[i]!.score, 4);
        for (const [k, value] of box.entries()) expect(Math.abs(value - theirs[i]!.bbox[k]!)).toBeLessThan(0.05);
      }
    }
    model.dispose();
  });

  test("shows from the run's threshold on, which its best checkpoint has as well", async () => {
    const file = join(directory, 'metrics.json');
    const metrics = JSON.parse(await readFile(file, 'utf8')) as object;
    for (const [operatingPoint, expected] of [
      [
        { scoreThreshold: 0.0625, f1: 0.5 },
        { value: 0.0625, chosenBy: 'run' },
      ],
      [undefined, { value: 0.3, chosenBy: 'usual' }],
    ] as const) {
      await writeFile(file, JSON.stringify({ ...metrics, operatingPoint }));
      for (const path of [directory, join(directory, 'checkpoints', 'best.safetensors')]) {
        const model = await opened('detection', path);
        expect(model.scoreThreshold).toEqual(expected);
        model.dispose();
      }
    }
    const model = await opened('detection', directory, { scoreThreshold: 0.2 });
    expect(model.scoreThreshold).toEqual({ value: 0.2, chosenBy: 'asked' });
    model.dispose();
  });
});

describe('a run whose best weights were replaced', () => {
  const directory = join(folder, 'replaced');
  const checkpoint = (name: string) => join(directory, 'checkpoints', `${name}.safetensors`);
  const save = async (name: string, classes: readonly string[], options: object = {}, seed = 1): Promise<void> => {
    const task = createDetection({
      ...detectorDefaults.ssdlite,
      ...{ backbone: tinyTable, size: [64, 64], numClasses: 2, ...options },
    });
    await saveModel(createModel(task, { categories: numberCategories(classes), seed }), checkpoint(name));
  };
  const measured = async (metrics: object) => {
    await writeFile(join(directory, 'metrics.json'), JSON.stringify(metrics));
  };
  beforeAll(async () => {
    await mkdir(join(directory, 'checkpoints'), { recursive: true });
    await save('last', ['dog', 'cat']);
  });
  const refused = async (message: RegExp) => {
    await expect(openModel(directory)).rejects.toMatchObject({
      code: 'E_RUN_WEIGHTS',
      message: expect.stringMatching(message),
      problems: [{ where: { file: checkpoint('best') } }],
    });
  };

  test('by those of another model is refused, with what differs', async () => {
    await measured({ task: 'detection', metric: { perCategory: [{ name: 'dog' }] } });
    await save('best', ['dog', 'fish']);
    await refused(/for dog, fish, and last\.safetensors is for dog, cat/);
    await measured({ task: 'detection', metric: { perCategory: [{ name: 'cat' }] } });
    await refused(/do not know "cat"/);
    await measured({ task: 'text' });
    await refused(/for detection, and metrics\.json is for text/);
    await rm(join(directory, 'metrics.json'));
    await save('best', ['dog', 'cat'], { classLoss: 'softmax' });
    await refused(/head\.classLoss is "softmax", and "\w+" in last\.safetensors/);
  });

  test('by newer ones of the same model has no threshold of the old ones', async () => {
    await save('best', ['dog', 'cat'], {}, 2);
    const sha256 = await hashFile(checkpoint('best'));
    for (const [weightsSha256, chosenBy] of [
      [sha256, 'run'],
      ['0'.repeat(64), 'usual'],
    ]) {
      await measured({ task: 'detection', weightsSha256, operatingPoint: { scoreThreshold: 0.0625 } });
      const model = await openModel(directory);
      expect(model.scoreThreshold.chosenBy).toBe(chosenBy);
      model.dispose();
    }
  });
});

describe('a file', () => {
  const save = async (name: string, model: Parameters<typeof saveModel>[0]) => {
    const file = join(folder, `${name}.safetensors`);
    await saveModel(model, file);
    return file;
  };
  const detector = () =>
    createModel(createDetection({ ...detectorDefaults.ssdlite, backbone: tinyTable, size: [64, 64], numClasses: 2 }), {
      categories: numberCategories(['cat', 'dog']),
      seed: 1,
    });

  test('gives the same for a path, a URL, bytes and pixels, one after the other or at once', async () => {
    const model = await opened('detection', await save('detector', detector()), { scoreThreshold: 0 });
    const { data } = await sharp(photo).raw().toBuffer({ resolveWithObject: true });
    const rgba = await sharp(photo).ensureAlpha().raw().toBuffer();
    const inputs = [photo, new URL(`file://${photo}`), await readFile(photo), { data, width, height }];
    const results = await Promise.all(
      [...inputs, { data: new Uint8ClampedArray(rgba), width, height }].map((input) => model.predict(input)),
    );
    const [first] = results as [readonly FoundObject[]];
    expect(first[0]).toMatchObject({ category: expect.stringMatching(/^(cat|dog)$/), categoryId: expect.any(Number) });
    for (const {
      box: [x, y, w, h],
      score,
    } of first) {
      expect([x >= 0, y >= 0, x + w <= width + 1e-3, y + h <= height + 1e-3, score >= 0]).toEqual(Array(5).fill(true));
    }
    for (const other of results) expect(other).toEqual(first);
    model.dispose();
    await expect(model.predict(photo)).rejects.toMatchObject({ code: 'E_MODEL_DISPOSED' });
  });

  test('gives the same for many images, in their order; one that cannot be read is an error among them', async () => {
    const model = await opened('detection', await save('many', detector()), { scoreThreshold: 0 });
    const alone = await model.predict(photo);
    const inputs = [photo, join(folder, 'none.jpg'), photo, Uint8Array.of(1), photo];
    const steps: unknown[] = [];
    const results = [];
    for await (const result of model.predictAll(inputs, { onProgress: (step) => steps.push(step) }))
      results.push(result);
    const whole = { width, height, predictions: alone };
    const failed = (code: string) => ({ error: expect.objectContaining({ code }) });
    expect(results).toEqual([whole, failed('E_IMAGE_MISSING'), whole, failed('E_IMAGE_DECODE'), whole]);
    expect(steps.at(-1)).toEqual({ phase: 'predict', done: 5, total: 5 });
    model.dispose();
  });

  test('gives the same to rounding for so many images that several are run at once', async () => {
    const model = await opened('detection', await save('batches', detector()), { scoreThreshold: 0 });
    const upright = await sharp(photo).rotate(90).png().toBuffer();
    const [one, other] = [await model.predict(photo), await model.predict(upright)];
    const inputs = Array.from({ length: 19 }, (_, i) => (i === 5 ? '/none.jpg' : i % 2 === 0 ? photo : upright));
    let index = 0;
    for await (const result of model.predictAll(inputs)) {
      if (index === 5) expect(result.error?.code).toBe('E_IMAGE_MISSING');
      else {
        const { predictions } = result as { predictions: readonly FoundObject[] };
        const expected = index % 2 === 0 ? one : other;
        expect(predictions).toHaveLength(expected.length);
        for (const [i, { score, box }] of predictions.slice(0, 3).entries()) {
          expect(score).toBeCloseTo(expected[i]!.score, 4);
          for (const [k, value] of box.entries()) expect(value).toBeCloseTo(expected[i]!.box[k]!, 2);
        }
      }
      index++;
    }
    expect(index).toBe(inputs.length);
    model.dispose();
  });

  test('reads of a list without end what it needs, until the signal stops it', async () => {
    const model = await opened('detection', await save('endless', detector()));
    let read = 0;
    function* endless() {
      for (; ; read++) yield photo;
    }
    const controller = new AbortController();
    let done = 0;
    const all = async () => {
      for await (const result of model.predictAll(endless(), { signal: controller.signal })) {
        expect(result.error).toBeUndefined();
        if (++done === 5) controller.abort(new Error('enough'));
      }
    };
    await expect(all()).rejects.toThrow('enough');
    expect(done).toBe(5);
    expect(read).toBeLessThan(15);
    model.dispose();
  });

  test('gives the outputs of the network on request', async () => {
    const model = await opened('detection', await save('raw', detector()));
    const outputs = Object.values(await model.predictRaw(photo));
    expect(outputs.length).toBeGreaterThan(0);
    for (const { shape, data } of outputs) expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
    model.dispose();
  });

  test('of a detector for several sizes takes the one that fits the image', async () => {
    const sizes = [
      [64, 96],
      [96, 64],
    ] as const;
    const options = {
      ...detectorDefaults.retinanet,
      backbone: tinyTable,
      channels: 8,
      size: sizes[0],
      numClasses: 1,
      scoreThreshold: 0,
    };
    const images = { resize: 'shorterSide', interpolation: 'bilinear', limits: { min: 64, max: 96 } } as const;
    const built = createModel(createDetection(options, sizes), {
      categories: numberCategories(['cat']),
      seed: 1,
      images,
    });
    const model = await opened('detection', await save('sizes', built), { scoreThreshold: 0 });
    expect(model.description.sizes).toEqual(sizes);
    const upright = await sharp(photo).rotate(90).png().toBuffer();
    const most = (found: readonly FoundObject[], side: 0 | 1) =>
      Math.max(...found.map(({ box }) => box[side] + box[side + 2]!));
    expect(most(await model.predict(photo), 0)).toBeGreaterThan(height);
    const [wide, high] = [await model.predict(upright), await model.predict(upright)];
    expect(wide).toEqual(high);
    expect(most(wide, 0)).toBeLessThanOrEqual(height + 1e-3);
    expect(most(wide, 1)).toBeGreaterThan(height);
    model.dispose();
  });

  test('of a classifier gives the most probable classes', async () => {
    const options = {
      backbone: tinyTable,
      numClasses: 3,
      size: [32, 32],
      labelSmoothing: 0,
      dropout: 0,
      stochasticDepth: 0,
    } as const;
    const built = createModel(createClassification(options), {
      categories: numberCategories(['a', 'b', 'c']),
      seed: 1,
    });
    const model = await opened('classification', await save('classifier', built));
    const found = await model.predict(photo);
    expect(found.map(({ category }) => category).sort()).toEqual(['a', 'b', 'c']);
    expect(found.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(model.description.images).toEqual({ resize: 'crop', interpolation: 'bicubic', cropFraction: 0.875 });
    model.dispose();
  });

  test('of a text detector gives words', async () => {
    const thresholds = { text: 0.7, lowText: 0.4, link: 0.4, polygons: false };
    const options = {
      head: 'craft-lite',
      backbone: tinyTable,
      size: [32, 32],
      evaluateSize: [64, 64],
      thresholds,
      loss: 'mse',
      negatives: 3,
      protocol: 'iou',
    } as const;
    const model = await opened(
      'text',
      await save('text', createModel(createText(options), { categories: [], seed: 1 })),
    );
    expect(await model.predict(photo)).toEqual(expect.any(Array));
    model.dispose();
  });

  test.each([
    ['null', null],
    ['a number', 7],
    ['an empty path', ''],
    ['a URL of another kind', new URL('ftp://host/x.png')],
    ['no bytes', new Uint8Array(0)],
    ['pixels of another size', { data: new Uint8Array(10), width: 2, height: 2 }],
    ['pixels of two channels', { data: new Uint8Array(8), width: 2, height: 2 }],
    ['a side that is no number', { data: new Uint8Array(12), width: NaN, height: 2 }],
  ])('refuses %s as an image', async (_, image) => {
    const model = await opened('detection', await save('refuses', detector()));
    await expect(model.predict(image as never)).rejects.toMatchObject({ code: 'E_FEED' });
    await expect(model.predict(join(folder, 'none.jpg'))).rejects.toMatchObject({ code: 'E_IMAGE_MISSING' });
    await expect(model.predict(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'E_IMAGE_DECODE' });
    model.dispose();
  });
});

test('what cannot be opened', async () => {
  const bare = join(folder, 'bare.safetensors');
  await writeFile(bare, encodeSafetensors(new Map([['x', { shape: [1], data: Float32Array.of(1) }]])));
  await expect(openModel(bare)).rejects.toMatchObject({ code: 'E_MODEL_DESCRIPTION' });
  await expect(openModel(join(folder, 'none'))).rejects.toMatchObject({ code: 'E_MODEL_PATH' });
  await expect(openModel(folder)).rejects.toMatchObject({ code: 'E_MODEL_PATH' });
  await expect(openModel(undefined as never)).rejects.toMatchObject({ code: 'E_USAGE' });
  await expect(openModel(bare, { scoreThreshold: 2 })).rejects.toMatchObject({ code: 'E_USAGE' });
});
