import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { verifyBundle } from '../src/bundle/verifyBundle.js';
import { writeBundle } from '../src/bundle/writeBundle.js';
import { numberCategories } from '../src/data/categories.js';
import { createClassification } from '../src/evaluate/createTask.js';
import { readBundle } from '../src/modelFolder/bundleFile.js';
import { openModel } from '../src/predict/openModel.js';
import { createModel } from '../src/tasks/model.js';
import { saveModel } from '../src/train/modelWeights.js';
import * as fc from './fastCheck.js';
import { temporaryFolder } from './data/temporaryFolder.js';
import { tinyTable } from './tinyBackbone.js';

const folder = temporaryFolder();
const run = join(folder, 'run');
const file = join(folder, 'run.zip');
const operatingPoint = { scoreThreshold: 0.125 };

const cacheHome = process.env['XDG_CACHE_HOME'];
beforeAll(async () => {
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  await mkdir(join(run, 'checkpoints'), { recursive: true });
  await mkdir(join(run, 'onnx'));
  const options = { backbone: tinyTable, size: [32, 32], numClasses: 2, labelSmoothing: 0, dropout: 0 } as const;
  const categories = numberCategories(['dog', 'cat']);
  const model = createModel(createClassification({ ...options, stochasticDepth: 0 }), { categories, seed: 1 });
  await saveModel(model, join(run, 'checkpoints/best.safetensors'));
  const recipe =
    'task: classification\ndata: { format: imageFolder, root: missing }\nmodel: { backbone: mobilenetv1_025 }\n';
  await writeFile(join(run, 'recipe.yaml'), recipe);
  const metric = { metric: 'accuracy', top1: 0.5 };
  await writeFile(join(run, 'metrics.json'), JSON.stringify({ metric, part: 'val', operatingPoint }));
  await writeFile(join(run, 'predictions.json'), '[]');
  for (const name of ['model-card.json', 'model.onnx']) await writeFile(join(run, 'onnx', name), name);
});

afterAll(() => {
  if (cacheHome === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cacheHome;
});

test('a bundle has the run without its pictures, its licences and hashes, and the same bytes each time', async () => {
  const one = await writeBundle(run, { dataLicense: 'CC0-1.0' });
  expect(one.file).toBe(file);
  const files = [
    'checkpoints/best.safetensors',
    'metrics.json',
    'onnx/model-card.json',
    'onnx/model.onnx',
    'recipe.yaml',
  ];
  expect(one.files).toEqual(files);
  expect(Object.keys(unzipSync(await readFile(file)))).toEqual(['bundle.json', ...files]);
  const { manifest } = await readBundle(file);
  expect(manifest).toMatchObject({
    task: 'classification',
    licenses: { data: 'CC0-1.0' },
    part: 'val',
    operatingPoint,
  });
  const other = await writeBundle(run, { out: join(folder, 'other.zip'), dataLicense: 'CC0-1.0' });
  expect(other.sha256).toBe(one.sha256);
  await expect(writeBundle(run)).rejects.toMatchObject({ code: 'E_BUNDLE_OUT' });
  await expect(writeBundle(file, { out: join(folder, 'x.zip') })).rejects.toMatchObject({ code: 'E_MODEL_PATH' });
});

test('it opens as the run that it was made of', async () => {
  const image = { data: Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 7) % 256), width: 32, height: 32 };
  const [fromRun, fromBundle] = [await openModel(run), await openModel(file)];
  expect(fromBundle.scoreThreshold).toEqual({ value: operatingPoint.scoreThreshold, chosenBy: 'run' });
  expect(await fromBundle.predict(image)).toEqual(await fromRun.predict(image));
  fromRun.dispose();
  fromBundle.dispose();
});

describe('verify', () => {
  test('checks the hashes, and tells why there is no score', async () => {
    const hashes = { isRight: true, score: null, files: 5 };
    expect(await verifyBundle(file, { hashesOnly: true })).toMatchObject(hashes);
    await writeFile(join(run, 'metrics.json'), '{}');
    const { file: other } = await writeBundle(run, { out: join(folder, 'unscored.zip') });
    expect(await verifyBundle(other)).toMatchObject({ ...hashes, why: 'the bundle has no score' });
  });

  test('finds every byte that has changed, and every cut', async () => {
    const bytes = await readFile(file);
    const damaged = join(folder, 'damaged.zip');
    const refuses = async (content: Uint8Array) => {
      await writeFile(damaged, content);
      await expect(readBundle(damaged)).rejects.toMatchObject({ code: 'E_BUNDLE_DAMAGED' });
    };
    const place = fc.oneof(
      fc.nat(bytes.length - 1),
      fc.nat(200),
      fc.nat(200).map((back) => bytes.length - 1 - back),
    );
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const flipped = Uint8Array.from(bytes);
        flipped[at]! ^= change;
        await refuses(flipped);
      }),
      { numRuns: 100 },
    );
    for (const length of [0, 10, 64, bytes.length - 1]) await refuses(bytes.subarray(0, length));
    await refuses(zipSync({ 'bundle.json': new Uint8Array(3) }));
  });
});
