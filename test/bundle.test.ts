import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync, zipSync } from 'fflate';
import sharp from 'sharp';
import { verifyBundle } from '../src/bundle/verifyBundle.js';
import { writeBundle } from '../src/bundle/writeBundle.js';
import { numberCategories } from '../src/data/categories.js';
import { createClassification, createDetection } from '../src/evaluate/createTask.js';
import { portableRecipe } from '../src/recipe/resolved.js';
import { readBundle } from '../src/modelFolder/bundleFile.js';
import { openModel } from '../src/predict/openModel.js';
import { detectorDefaults } from '../src/tasks/detection/detectorDefaults.js';
import type { FoundObject } from '../src/tasks/found.js';
import { createModel } from '../src/tasks/model.js';
import { saveModel } from '../src/train/modelWeights.js';
import * as fc from './fastCheck.js';
import { temporaryFolder } from './data/temporaryFolder.js';
import { tinyTable } from './tinyBackbone.js';

const folder = temporaryFolder();
const slow = process.env['FINETUNE_SLOW'] === '1' ? test : test.skip;
const run = join(folder, 'run');
const file = join(folder, 'run.zip');
const operatingPoint = { scoreThreshold: 0.125 };
const calibration = { ece: 0.25 };

const cacheHome = process.env['XDG_CACHE_HOME'];
beforeAll(async () => {
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  await mkdir(join(run, 'checkpoints'), { recursive: true });
  await mkdir(join(run, 'onnx'));
  const options = { backbone: tinyTable, size: [32, 32], numClasses: 2, labelSmoothing: 0, dropout: 0 } as const;
  const categories = numberCategories(['dog', 'cat']);
  const model = createModel(createClassification({ ...options, stochasticDepth: 0 }), { categories, seed: 1 });
  await saveModel(model, join(run, 'checkpoints/best.safetensors'));
  const recipe = `task: classification\ndata: { format: imageFolder, root: ${join(folder, 'pictures')} }\nmodel: { backbone: mobilenetv1_025 }\n`;
  await writeFile(join(run, 'recipe.yaml'), recipe);
  const metric = { metric: 'accuracy', top1: 0.5 };
  await writeFile(join(run, 'metrics.json'), JSON.stringify({ metric, part: 'val', operatingPoint, calibration }));
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
    licenses: { data: [{ license: 'CC0-1.0', source: '--data-license' }] },
    part: 'val',
    ...{ operatingPoint, calibration },
  });
  const other = await writeBundle(run, { out: join(folder, 'other.zip'), dataLicense: 'CC0-1.0' });
  expect(other.sha256).toBe(one.sha256);
  await expect(writeBundle(run)).rejects.toMatchObject({ code: 'E_BUNDLE_OUT' });
  await expect(writeBundle(file, { out: join(folder, 'x.zip') })).rejects.toMatchObject({ code: 'E_MODEL_PATH' });
});

test.each([{ task: 'text' }, { task: 'classification', metric: { perCategory: [{ name: 'dog' }, { name: 'fish' }] } }])(
  'a checkpoint is not bundled with the scores of another model: %j',
  async (metrics) => {
    const other = join(folder, 'swapped');
    await cp(run, other, { recursive: true });
    await writeFile(join(other, 'metrics.json'), JSON.stringify(metrics));
    const where = { file: join(other, 'checkpoints/best.safetensors') };
    await expect(writeBundle(other)).rejects.toMatchObject({ code: 'E_RUN_WEIGHTS', problems: [{ where }] });
  },
);

test('tells no folder of this machine, and the licences that the data states', async () => {
  const data = join(folder, 'pictures');
  await mkdir(join(data, 'annotations'), { recursive: true });
  await writeFile(join(data, 'LICENSE'), 'MIT License\n\nCopyright …');
  await writeFile(join(data, 'README.md'), '---\nlicense: cc-by-4.0\n---\n# Pictures of Apache 2.0 helicopters\n');
  const coco = {
    images: [],
    licenses: [{ id: 1, name: 'Attribution-ShareAlike License 2.0', url: 'https://x.example' }],
  };
  coco.licenses.push({ id: 2, name: '', url: 'http://creativecommons.org/licenses/by-nc-sa/2.0/' });
  await writeFile(join(data, 'annotations/all.json'), JSON.stringify(coco));
  const bundled = await writeBundle(run, { out: join(folder, 'licensed.zip') });
  expect(bundled.shortened).toEqual(['data.root']);
  expect(bundled.dataLicenses).toEqual([
    { license: 'MIT', source: 'LICENSE' },
    { license: 'CC-BY-4.0', source: 'README.md' },
    { license: 'Attribution-ShareAlike License 2.0', source: 'annotations/all.json' },
    { license: 'CC-BY-NC-SA-2.0', source: 'annotations/all.json' },
  ]);
  const { files } = await readBundle(bundled.file);
  const recipe = new TextDecoder().decode(files.get('recipe.yaml'));
  expect(recipe).toContain('root: pictures');
  expect(recipe).toMatch(/^# .*shortened.*data\.root/);
  for (const content of files.values()) expect(Buffer.from(content).includes(folder)).toBe(false);
  const windows = portableRecipe(
    'data: { root: "C:\\\\Users\\\\me\\\\birds" }\nmodel: { weights: "file:/home/me/x.safetensors" }\n',
  );
  expect(windows.text).toMatch(/root: "birds"[^]*file:x\.safetensors/);
});

slow('it finds the same boxes on a machine that has ONNX Runtime and no TensorFlow', async () => {
  const made = join(folder, 'detector');
  await mkdir(join(made, 'checkpoints'), { recursive: true });
  const options = { ...detectorDefaults.ssdlite, backbone: tinyTable, size: [64, 64], numClasses: 2 } as const;
  const model = createModel(createDetection(options), { categories: numberCategories(['dog', 'cat']), seed: 3 });
  await saveModel(model, join(made, 'checkpoints/best.safetensors'));
  await writeFile(
    join(made, 'recipe.yaml'),
    'task: detection\ndata: { format: synthetic, train: { images: 2 }, val: { images: 1 } }\nmodel: { backbone: mobilenetv1_025 }\n',
  );
  await writeFile(join(made, 'metrics.json'), '{}');
  const image = join(folder, 'image.png');
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  await sharp({ create: { width: 96, height: 80, channels: 3, background: '#888', noise } }).toFile(image);
  const bundle = join(folder, 'moved.zip');
  await writeBundle(made, { out: bundle });
  const trained = await openModel(made, { engine: 'wasm', scoreThreshold: 0.01 });
  const expected = (await trained.predict(await readFile(image))) as readonly FoundObject[];
  trained.dispose();
  await rm(made, { recursive: true });
  const home = join(folder, 'elsewhere');
  const env = { PATH: '/usr/bin:/bin', HOME: home, XDG_CACHE_HOME: home, HTTPS_PROXY: 'http://127.0.0.1:9' };
  const program = fileURLToPath(new URL('../bin/finetune.mjs', import.meta.url));
  const args = [program, 'predict', bundle, image, '--json', '--threshold', '0.01'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  const [entry] = JSON.parse(stdout || `"${stderr}"`) as readonly [{ readonly predictions: readonly FoundObject[] }];
  expect(entry.predictions.length).toBe(expected.length);
  expect(expected.length).toBeGreaterThan(10);
  for (const [i, { category, score, box }] of entry.predictions.entries()) {
    expect(category).toBe(expected[i]!.category);
    expect(score).toBeCloseTo(expected[i]!.score, 4);
    for (const [k, side] of box.entries()) expect(side).toBeCloseTo(expected[i]!.box[k]!, 1);
  }
  const kept = await readdir(home, { recursive: true });
  expect(kept.filter((name) => name.includes('tensorflow') && /\.(so|dll|dylib)/.test(name))).toEqual([]);
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
