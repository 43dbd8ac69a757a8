import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { stringify } from 'yaml';
import { FinetuneError } from '../../src/errors.js';
import { loadRecipe, parseRecipe, type LoadOptions } from '../../src/recipe/load.js';

const HEAD = 'task: detection\ndata: {format: synthetic}\n';

async function errorOf(promise: Promise<unknown>): Promise<FinetuneError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof FinetuneError) return error;
  throw new Error(`expected a FinetuneError, got ${String(error)}`);
}
const errorIn = (text: string, options?: LoadOptions) => errorOf(parseRecipe(text, 'recipes/a.yaml', options));
const codesIn = async (text: string, options?: LoadOptions) =>
  (await errorIn(text, options)).problems.map(({ code }) => code);

describe('a recipe without mistakes', () => {
  test('gets the defaults', async () => {
    const recipe = await parseRecipe(HEAD, 'a.yaml');
    expect(recipe).toMatchObject({
      seed: 1,
      engine: 'auto',
      data: { train: { images: 400 }, size: [320, 320], augment: { flip: 0.5 } },
      train: { batch: 8, lr: { value: 0.02, perBatch: 32 }, clipNorm: 10, freeze: { stages: 0 } },
      evaluate: { nmsThreshold: 0.6 },
    });
  });

  test('may use aliases, comments and a byte order mark', async () => {
    const recipe = await parseRecipe(
      `\uFEFF# mine\n${HEAD}model: {allowMissing: &p ["a.*"], allowUnused: *p}\n`,
      'a.yaml',
    );
    expect(recipe.model.allowUnused).toEqual(['a.*']);
  });

  test('may switch augmentation and clipping off', async () => {
    const recipe = await parseRecipe(HEAD, 'a.yaml', { set: ['data.augment=false', 'train.clipNorm=null'] });
    expect([recipe.data.augment, recipe.train.clipNorm]).toEqual([false, null]);
  });

  test('with --set, a map replaces the one of the recipe, and a key inside it changes one option', async () => {
    const text = `${HEAD}train: {optimizer: {name: sgd, nesterov: true, momentum: 0.8}}\n`;
    const adamw = await parseRecipe(text, 'a.yaml', { set: ['train.optimizer={name: adamw}'] });
    expect(adamw.train.optimizer).toMatchObject({ name: 'adamw' });
    const sgd = await parseRecipe(text, 'a.yaml', { set: ['train.optimizer.momentum=0.7'] });
    expect(sgd.train.optimizer).toMatchObject({ name: 'sgd', nesterov: true, momentum: 0.7 });
  });
});

describe('problems', () => {
  test('all at once, each with its place, as STYLE prints them', async () => {
    const error = await errorIn(`# twelve mistakes
tsk: detection
engine: wasmm
data:
  format: voc
  size: 10
  augment: {flp: 1, photometric: maybe}
model: {weights: imagenet}
epochs: 3
train:
  epoch: 12
  batch: 2.5
  clipNorm: off
  freeze: {stages: some}
report:
`);
    expect(error.message).toBe(`recipes/a.yaml:2:1  "task" is missing   E_RECIPE_MISSING_KEY
  2 | tsk: detection
    | ^
  add it: one of detection, classification, text.
recipes/a.yaml:2:1  unknown key "tsk"   E_RECIPE_UNKNOWN_KEY
  2 | tsk: detection
    | ^^^  did you mean "task"?
recipes/a.yaml:3:9  "engine" must be one of auto, tensorflow-gpu, tensorflow, onnxruntime, wasm; got "wasmm"   E_RECIPE_VALUE
  3 | engine: wasmm
    |         ^^^^^  did you mean "wasm"?
recipes/a.yaml:4:1  "data.root" is missing   E_RECIPE_MISSING_KEY
  4 | data:
    | ^^^^
  add it: text. Folder of the data set. A relative path starts at the recipe's folder, or at the current directory if it is given by \`--set\`.
recipes/a.yaml:6:9  "data.size" must be a whole number of pixels from 32 to 4096, or [height, width], or {min, max, buckets}; got 10   E_RECIPE_VALUE
  6 |   size: 10
    |         ^^
recipes/a.yaml:7:13  unknown key "data.augment.flp"   E_RECIPE_UNKNOWN_KEY
  7 |   augment: {flp: 1, photometric: maybe}
    |             ^^^  did you mean "flip"?
recipes/a.yaml:7:34  "data.augment.photometric" must be true or false; got "maybe"   E_RECIPE_TYPE
  7 |   augment: {flp: 1, photometric: maybe}
    |                                  ^^^^^
recipes/a.yaml:8:18  "model.weights" must be a URI that starts with file:, run:, https:, hf:, npm: or pip:, or a name of the catalog; got "imagenet"   E_RECIPE_VALUE
  8 | model: {weights: imagenet}
    |                  ^^^^^^^^
recipes/a.yaml:9:1  unknown key "epochs"   E_RECIPE_UNKNOWN_KEY
  9 | epochs: 3
    | ^^^^^^  did you mean "train.epochs"?
recipes/a.yaml:11:3  unknown key "train.epoch"   E_RECIPE_UNKNOWN_KEY
  11 |   epoch: 12
     |   ^^^^^  did you mean "epochs"?
recipes/a.yaml:12:10  "train.batch" must be auto, or a whole number, at least 1; got 2.5   E_RECIPE_VALUE
  12 |   batch: 2.5
     |          ^^^
recipes/a.yaml:13:13  "train.clipNorm" must be a number above 0, or null; got "off"   E_RECIPE_TYPE
  13 |   clipNorm: off
     |             ^^^
recipes/a.yaml:14:20  "train.freeze.stages" must be all, or a whole number, at least 0, or a list of patterns; got "some"   E_RECIPE_VALUE
  14 |   freeze: {stages: some}
     |                    ^^^^
recipes/a.yaml:15:1  "report" must be a map of options; got nothing   E_RECIPE_TYPE
  15 | report:
     | ^^^^^^`);
  });

  test('a backbone whose width was left out names its family', async () => {
    const text = 'task: detection\ndata: {format: synthetic}\nmodel: {backbone: moblenetv2}\n';
    expect((await errorIn(text)).message).toContain('did you mean "mobilenetv2"? Its names are mobilenetv2_035, ');
  });

  test('a wrong format is one error about the format', async () => {
    expect((await errorIn('task: detection\ndata: {format: cocoo, root: x}\n')).message)
      .toBe(`recipes/a.yaml:2:16  "data.format" must be one of synthetic, coco, voc, yolo, createml, labelme, labelstudio, vott, via, datumaro, cvat, supervisely, cloud, kitti, widerface, dota, visdrone, mot, bdd100k, darwin, labelbox, keras-yolo, vision-language, box-csv, huggingface, webdataset; got "cocoo"   E_RECIPE_VALUE
  2 | data: {format: cocoo, root: x}
    |                ^^^^^  did you mean "coco"?`);
    expect(await codesIn('task: detection\ndata: {root: x}\n')).toEqual(['E_RECIPE_MISSING_KEY']);
  });

  test("a mistake inside the chosen format is told in that format's terms", async () => {
    const { problems } = await errorIn(
      'task: detection\ndata:\n  format: coco\n  root: x\n  train: trainval\n  val: {annotations: a.json}\n',
    );
    expect(problems.map(({ code, message, where }) => [code, message, where?.line])).toEqual([
      ['E_RECIPE_VALUE', '"data.train" must be {annotations, images}, or a list of them; got "trainval"', 5],
      ['E_RECIPE_MISSING_KEY', '"data.val.images" is missing', 6],
    ]);
  });

  test('YAML that cannot be read, duplicate keys and unknown tags', async () => {
    expect((await errorIn(`${HEAD}seed: 1\nseed: 2\nout: !!x y\n`)).message)
      .toBe(`recipes/a.yaml:4:1  "seed" occurs twice in the same map   E_RECIPE_DUPLICATE_KEY
  4 | seed: 2
    | ^^^^
  remove one of the two
recipes/a.yaml:5:6  not valid YAML: unresolved tag: tag:yaml.org,2002:x   E_RECIPE_SYNTAX
  5 | out: !!x y
    |      ^^^`);
    expect(await codesIn('task: [\n')).toContain('E_RECIPE_SYNTAX');
    expect(await codesIn('a: &a {b: *a}\n')).toEqual(['E_RECIPE_SYNTAX']);
  });

  test('an empty file, a list, a word', async () => {
    expect(await codesIn('# nothing\n')).toEqual(['E_RECIPE_MISSING_KEY', 'E_RECIPE_MISSING_KEY']);
    expect((await errorIn('- task\n')).problems[0]).toMatchObject({
      code: 'E_RECIPE_TYPE',
      message: 'a recipe must be a map of options; got a list',
    });
    expect(await codesIn('detection\n')).toEqual(['E_RECIPE_TYPE']);
  });

  test('keys of the JavaScript kind are unknown keys like any other', async () => {
    for (const key of ['__proto__', 'constructor', 'toString', '1', '~']) {
      expect(await codesIn(`${HEAD}${key}: {polluted: 1}\n`)).toEqual(['E_RECIPE_UNKNOWN_KEY']);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.each([
    [
      'model: {classLoss: sigmoid}\ntrain: {hardNegatives: 3}',
      '"train.hardNegatives" has no effect with model.classLoss: sigmoid',
    ],
    [
      'model: {classLoss: softmax}\ntrain: {focal: {gamma: 1}}',
      '"train.focal" has no effect with model.classLoss: softmax',
    ],
    [
      'model: {anchors: torchvision, lowestLevelAnchors: 3}',
      '"model.lowestLevelAnchors" has no effect with other anchors',
    ],
    [
      'evaluate: {nms: softGaussian, nmsThreshold: 0.5}',
      '"evaluate.nmsThreshold" has no effect with evaluate.nms: softGaussian',
    ],
    [
      'model: {finestStride: 8, anchors: [[[0.1, 0.2]], [], [], [], [], []]}',
      '"model.anchors" has 6 levels, "model.head: ssdlite" has 7',
    ],
    ['model: {anchors: [[], [], [], [], [], []]}', '"model.anchors" has no anchor on any level'],
    ['train: {cacheLimit: 5}', '"train.cacheLimit" has no effect with train.cache: none'],
    [
      'train: {epochs: 2, warmup: {epochs: 3}}',
      'the warm-up (train.warmup.epochs: 3) is longer than the run (train.epochs: 2)',
    ],
  ])('contradiction: %s', async (text, message) => {
    expect((await errorIn(HEAD + text)).problems).toMatchObject([{ code: 'E_RECIPE_CONFLICT', message }]);
  });

  test('a cache needs frozen stages and images that stay the same; contradictions come along with other mistakes', async () => {
    const { problems } = await errorIn(`${HEAD}train: {cache: memory, epoch: 1}\n`);
    expect(problems.map(({ code }) => code)).toEqual([
      'E_RECIPE_CONFLICT',
      'E_RECIPE_CONFLICT',
      'E_RECIPE_UNKNOWN_KEY',
    ]);
    const set = ['train.freeze.stages=all', 'data.augment={photometric: false, expand: 0, iouCrop: false}'];
    await expect(parseRecipe(`${HEAD}train: {cache: memory}`, 'a.yaml', { set })).resolves.toBeDefined();
  });

  test('focal gamma between 0 and 1', async () => {
    expect(await codesIn(`${HEAD}model: {classLoss: sigmoid}\ntrain: {focal: {gamma: 0.5}}\n`)).toEqual([
      'E_RECIPE_VALUE',
    ]);
    await expect(
      parseRecipe(`${HEAD}model: {classLoss: sigmoid}\ntrain: {focal: {gamma: 0}}\n`, 'a.yaml'),
    ).resolves.toBeDefined();
  });

  test('no text, however broken, throws anything but a FinetuneError of ours', async () => {
    const yaml = fc.oneof(
      fc.jsonValue().map((value) => stringify(value)),
      fc.string({ unit: fc.constantFrom(...Array.from('ab:-[]{}&*!|>\'"#, \n\t\\0')) }),
      fc.jsonValue().map((value) => HEAD + stringify({ train: value })),
    );
    await fc.assert(
      fc.asyncProperty(yaml, fc.array(fc.string(), { maxLength: 2 }), async (text, set) => {
        const outcome: unknown = await parseRecipe(text, 'a.yaml', { set }).catch((error: unknown) => error);
        if (outcome instanceof Error && !(outcome instanceof FinetuneError && outcome.code.startsWith('E_RECIPE_'))) {
          throw outcome;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('--set', () => {
  test('the last one wins, values are YAML, paths into maps are made', async () => {
    const set = ['train.epochs=3', 'data.categories=[cat, dog]', 'train.epochs=12', 'train.lr.value=1e-3'];
    const recipe = await parseRecipe(HEAD, 'a.yaml', { set });
    expect(recipe.train).toMatchObject({ epochs: 12, lr: { value: 0.001, perBatch: 32 } });
    expect(recipe.data).toMatchObject({ categories: ['cat', 'dog'] });
  });

  test('mistakes are found at the flag', async () => {
    const set = ['train.epoch=3', 'data.size=[3]', 'train.clipNorm=', 'data.format=voc'];
    expect((await errorIn(HEAD, { set })).message)
      .toBe(`recipes/a.yaml:2:1  "data.root" is missing   E_RECIPE_MISSING_KEY
  2 | data: {format: synthetic}
    | ^^^^
  add it: text. Folder of the data set. A relative path starts at the recipe's folder, or at the current directory if it is given by \`--set\`.
--set data.size  "data.size" must be a whole number of pixels from 32 to 4096, or [height, width], or {min, max, buckets}; got a list   E_RECIPE_VALUE
   | data.size=[3]
   |           ^^^
--set train.epoch  unknown key "train.epoch"   E_RECIPE_UNKNOWN_KEY
   | train.epoch=3
   |       ^^^^^  did you mean "epochs"?`);
  });

  test('what is no key=value, and values that are no YAML', async () => {
    const set = ['epochs', '=3', 'train.=3', 'train.batch=[1'];
    expect((await errorIn(HEAD, { set })).message).toBe(`--set epochs  --set takes key=value   E_RECIPE_SET
   | epochs
   | ^^^^^^
  for example --set train.epochs=12
--set   --set takes key=value   E_RECIPE_SET
   | =3
   | ^^
  for example --set train.epochs=12
--set train.  --set takes key=value   E_RECIPE_SET
   | train.=3
   | ^^^^^^^^
  for example --set train.epochs=12
--set train.batch  not valid YAML: flow sequence must end with a ]   E_RECIPE_SYNTAX
   | train.batch=[1
   |               ^`);
  });
});

describe('files', () => {
  let folder: string;
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recipe-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('extends: maps merge, everything else replaces, paths and errors belong to the file they stand in', async () => {
    await write('base/base.yaml', 'task: detection\ndata: {format: voc, root: ../voc, categories: [a, b]}\n');
    const path = await write(
      'mine.yaml',
      'extends: base/base.yaml\ndata: {size: 64, categories: [c]}\nmodel: {weights: "file:w.safetensors"}\n',
    );
    const { data, model } = await loadRecipe(path);
    expect(data).toMatchObject({ format: 'voc', root: join(folder, 'voc'), size: [64, 64], categories: ['c'] });
    expect(model.weights).toBe(`file:${join(folder, 'w.safetensors')}`);
    const moved = await loadRecipe(path, { set: ['data.root=here', 'model.weights=file:w.bin'] });
    expect([moved.data.root, moved.model.weights]).toEqual([resolve('here'), `file:${resolve('w.bin')}`]);

    await write('base/bad.yaml', 'task: detection\ndata: {format: synthetic}\ntrain:\n  epoch: 3\n');
    const worse = await write('worse.yaml', 'extends: base/bad.yaml\ntrain: {batch: 0}\n');
    const { problems } = await errorOf(loadRecipe(worse));
    expect(problems.map(({ where }) => where)).toEqual([
      { file: worse, line: 2, column: 16 },
      { file: join(folder, 'base/bad.yaml'), line: 4, column: 3 },
    ]);
  });

  test('extends: cycles, files that are not there, no file name', async () => {
    const a = await write('a.yaml', 'extends: b.yaml\n');
    const b = await write('b.yaml', 'extends: ./a.yaml\n');
    expect((await errorOf(loadRecipe(a))).problems).toMatchObject([
      {
        code: 'E_RECIPE_EXTENDS_CYCLE',
        message: `a recipe cannot extend itself: ${a} → ${b} → ${a}`,
        where: { file: b, line: 1, column: 10 },
      },
    ]);
    const lost = await write('lost.yaml', 'extends: base/bse.yaml\n');
    expect((await errorOf(loadRecipe(lost))).problems).toMatchObject([
      {
        code: 'E_RECIPE_NOT_FOUND',
        where: { file: lost, line: 1 },
        fix: `did you mean "${join(folder, 'base/base.yaml')}"?`,
      },
    ]);
    const list = await write('list.yaml', 'extends: [a.yaml]\n');
    expect((await errorOf(loadRecipe(list))).code).toBe('E_RECIPE_TYPE');
  });

  test('a recipe that is not there names its near misses', async () => {
    expect((await errorOf(loadRecipe('recipes/quikstart.yaml'))).message).toBe(
      'no recipe "recipes/quikstart.yaml"   E_RECIPE_NOT_FOUND\n  did you mean "recipes/quickstart.yaml"?',
    );
    expect((await errorOf(loadRecipe('recipes/zzzzzzzz.yaml'))).problems[0]?.fix).toContain('quickstart.yaml');
    expect((await errorOf(loadRecipe(join(folder, 'no/where.yaml')))).problems[0]?.fix).toContain('there is no folder');
    expect((await errorOf(loadRecipe('recipes'))).code).toBe('E_RECIPE_UNREADABLE');
  });

  test('a recipe in UTF-16 is read, one in another encoding names its line', async () => {
    const text = await readFile('recipes/ssdlite-voc.yaml', 'utf8');
    const file = join(folder, 'wide.yaml');
    await writeFile(file, Buffer.from(`\ufeff${text}`, 'utf16le'));
    expect((await loadRecipe(file)).task).toBe('detection');
    await writeFile(file, Buffer.from('task: detection\n# né\n', 'latin1'));
    expect((await errorOf(loadRecipe(file))).problems).toMatchObject([
      { code: 'E_RECIPE_UNREADABLE', where: { file, line: 2 } },
    ]);
  });

  test.each(['quickstart', 'ssdlite-coco', 'ssdlite-voc', 'ssdlite-lite0-voc', 'ssd300-voc', 'yolov1-voc'])(
    'recipes/%s.yaml loads',
    async (name) => {
      await expect(loadRecipe(`recipes/${name}.yaml`)).resolves.toMatchObject({ task: 'detection' });
    },
  );
});
