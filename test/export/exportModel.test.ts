import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { run as command } from '../../src/cli/program.js';
import { FinetuneError } from '../../src/errors.js';
import { exportAs } from '../../src/export/exportModel.js';
import type { Format } from '../../src/export/format.js';
import { onnx } from '../../src/export/formats/onnx/onnx.js';
import type { ModelCard } from '../../src/modelFolder/card.js';
import { randomStream } from '../../src/random.js';
import { writeColourFolders } from '../data/colourFolders.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
const below = (...names: string[]) => join(folder, ...names);
const photo = below('photos', 'photo.png');

const runs = {
  detection: () =>
    makeRun(
      below('detector'),
      `
task: detection
data: { format: synthetic, root: ${below('drawn')}, train: { images: 8 }, val: { images: 2 }, size: [64, 96], resize: letterbox, categories: [fish, house] }
model: { backbone: ${tinyBackbone} }
`,
    ),
  classification: () =>
    makeRun(
      below('classifier'),
      `
task: classification
data: { format: imageFolder, root: ${below('colours')}, size: 32 }
model: { backbone: ${tinyBackbone} }
`,
    ),
  text: () =>
    makeRun(
      below('reader'),
      `
task: text
data: { format: synthetic-text, root: ${below('words')}, train: { images: 2 }, val: { images: 2 }, size: 64, evaluateSize: [64, 96] }
model: { backbone: ${tinyBackbone} }
evaluate: { thresholds: { text: 0, lowText: 0, link: 0.9 } }
`,
    ),
};

const made = {} as Record<keyof typeof runs, string>;
beforeAll(async () => {
  await mkdir(below('photos'));
  const random = randomStream(1, 'photo');
  const [width, height] = [90, 60];
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(photo);
  await writeColourFolders(below('colours'));
  for (const task of Object.keys(runs) as (keyof typeof runs)[]) made[task] = await runs[task]();
}, 60_000);
afterEach(() => {
  jest.restoreAllMocks();
});

const everything = (value: unknown): number[] =>
  typeof value === 'number' ? [value] : value !== null && typeof value === 'object' ? Object.values(value).flatMap(everything) : []; // prettier-ignore

/** The file and the runtime of each format that models are exported in here. */
const formats = {
  onnx: [['model.onnx'], /^onnxruntime/],
  savedmodel: [['saved_model.pb'], /^tensorflow/],
  tfjs: [['group1-shard1of1.bin', 'model.json'], /^tfjs/],
  tflite: [['model.tflite'], /^litert/],
} as const;
const formatNames = Object.keys(formats) as (keyof typeof formats)[];
const tasks = Object.keys(runs) as (keyof typeof runs)[];
const pairs = tasks.flatMap((task) => formatNames.map((format) => [task, format] as const));

describe.each(pairs)('a model for %s as %s', (task, format) => {
  const [name, metric] = { detection: ['detector', 'AP'], classification: ['classifier', 'top1'], text: ['reader', 'hmean'] }[task] as [string, string]; // prettier-ignore
  const [files, engine] = formats[format];
  let card: ModelCard;
  const directory = below(name, format);
  beforeAll(async () => {
    const exported = await exportModel(made[task], { format });
    expect(exported.directory).toBe(directory);
    ({ card } = exported);
  }, 60_000);

  test('is written with its card, compared on the validation images', async () => {
    expect((await readdir(directory)).sort()).toEqual([...files, 'model-card.json'].sort());
    expect(JSON.parse(await readFile(join(directory, 'model-card.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(card)),
    );
    expect(card).toMatchObject({ version: 1, format, quantize: null, task, metrics: null });
    expect(card.parity.images).toBe(2);
    expect(card.parity.maxDifference).toBeLessThan(1e-3);
    expect(card.parity.metric!.name).toBe(metric);
    expect(card.parity.metric!.exported).toBe(card.parity.metric!.checkpoint);
    expect(card.parity.engines.exported).toMatch(engine);
    for (const { meaning } of card.outputs) expect(meaning).not.toBe('');
    expect(card.source.weights).toBe(`${name}/checkpoints/best.safetensors`);
  });

  test('finds what the checkpoint finds', async () => {
    const options = { scoreThreshold: 0 };
    const [theirs, ours] = [await openModel(made[task], options), await openModel(directory, options)];
    expect(ours.task).toBe(task);
    const [expected, found] = [await theirs.predict(photo), await ours.predict(photo)];
    expect(expected.length).toBeGreaterThan(0);
    expect(found).toHaveLength(expected.length);
    const numbers = everything(found);
    for (const [i, value] of everything(expected).entries()) expect(numbers[i]).toBeCloseTo(value, 3);
    const many = [];
    for await (const one of ours.predictAll(Array<string>(20).fill(photo))) many.push(one.error ?? one.predictions);
    expect(many).toHaveLength(20);
    for (const one of many)
      for (const [i, value] of everything(one).entries()) expect(numbers[i]).toBeCloseTo(value, 5);
    theirs.dispose();
    ours.dispose();
    await expect(openModel(directory, { engine: 'tensorflow-gpu' })).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});

test('the card of a detector has what decoding needs', async () => {
  const { input, decode } = JSON.parse(
    await readFile(below('detector', 'onnx', 'model-card.json'), 'utf8'),
  ) as ModelCard;
  expect(input).toMatchObject({
    name: 'image',
    shape: [1, 64, 96, 3],
    resize: { mode: 'letterbox', method: 'bilinear' },
  });
  expect(decode).toMatchObject({ nms: { place: 'out', kind: 'hard' }, boxCoder: { centre: 10, size: 5 } });
});

test('int8 computes with int8, and its score is that of the checkpoint', async () => {
  const { directory, card } = await exportModel(made.classification, {
    format: 'onnx',
    quantize: 'int8',
    tolerance: 1,
  });
  expect(directory).toBe(below('classifier', 'onnx-int8'));
  expect(card).toMatchObject({ quantize: 'int8', parity: { images: 2, metric: { name: 'top1' } } });
  expect((await readFile(join(directory, 'model.onnx'))).includes('QuantizeLinear')).toBe(true);
  (await openModel(directory)).dispose();
}, 60_000);

test('a model that differs is refused with the name of the first layer, and leaves nothing', async () => {
  const layer = 'backbone.blocks.2.0.conv_pw';
  const wrong: Format = {
    ...onnx,
    write: (to, { program, params }) =>
      onnx.write(to, {
        program,
        params: new Map(
          [...params].map(([name, { shape, data }]) => [
            name,
            { shape, data: name.startsWith(`${layer}.weight`) ? data.map((value) => value * 1.5) : data },
          ]),
        ),
      }),
  };
  const out = below('detector', 'wrong');
  const before = await readdir(below('detector'));
  await expect(exportAs(wrong, made.detection, { format: 'onnx', out })).rejects.toMatchObject({
    code: 'E_EXPORT_PARITY',
    message: expect.stringContaining(`first layer that differs is ${layer}`),
    problems: [{ where: { file: out } }],
  });
  expect(await readdir(below('detector'))).toEqual(before);
}, 60_000);

test('without the data of its run a checkpoint is compared on other images, outputs alone', async () => {
  const lone = below('lone.safetensors');
  await cp(join(made.detection, 'checkpoints', 'best.safetensors'), lone);
  await expect(exportModel(lone, { format: 'onnx' })).rejects.toMatchObject({
    code: 'E_EXPORT_DATA',
    problems: [{ where: { file: lone }, fix: expect.stringContaining('--images') }],
  });
  await writeFile(below('photos', 'a-broken.png'), 'no image');
  const { directory, card } = await exportModel(lone, { format: 'onnx', images: below('photos') }); // leaves that one out
  const images = below('photos', 'a-*.png');
  await expect(exportModel(lone, { format: 'onnx', images, out: below('none') })).rejects.toMatchObject({
    code: 'E_IMAGE_DECODE',
  });
  expect(directory).toBe(below('lone-onnx'));
  expect(card).toMatchObject({ parity: { images: 1, metric: null }, source: { recipe: null }, licenses: [] });

  const moved = below('moved');
  await cp(made.classification, moved, { recursive: true });
  const recipe = await readFile(join(moved, 'recipe.yaml'), 'utf8');
  await writeFile(join(moved, 'recipe.yaml'), recipe.replace(below('colours'), below('gone')));
  await expect(exportModel(moved, { format: 'onnx', out: below('never') })).rejects.toMatchObject({
    code: 'E_EXPORT_DATA',
    problems: [{ where: { file: join(moved, 'recipe.yaml') } }],
  });
}, 60_000);

test('images to compare on are looked for before anything is written', async () => {
  const [out, empty] = [below('not-written'), below('drawn', 'annotations')];
  for (const [images, code] of [
    [below('gone'), 'E_IMAGE_MISSING'],
    [empty, 'E_PREDICT_INPUT'],
  ] as const)
    await expect(exportModel(made.detection, { format: 'onnx', out, images })).rejects.toMatchObject({
      code,
      problems: [{ where: { file: images } }],
    });
  expect(await readdir(folder)).not.toContain('not-written');
});

test('a missing package of the format is told before the model is looked for', async () => {
  const missing = new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message: 'not installed' });
  const format: Format = { ...onnx, openRuntime: () => Promise.reject(missing) };
  await expect(exportAs(format, below('no-such-run'), {})).rejects.toBe(missing);
});

test('a folder that has files is not written to', async () => {
  await expect(exportModel(made.text, { format: 'onnx', out: below('photos') })).rejects.toMatchObject({
    code: 'E_EXPORT_OUT',
  });
});

describe('a model folder is refused', () => {
  const broken = below('broken');
  const spoil = async (change: (card: Record<string, unknown>) => object) => {
    const file = join(broken, 'model-card.json');
    const card = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...card, ...change(card) }));
  };
  const cases: Record<string, [() => Promise<unknown>, RegExp]> = {
    'without a card': [() => rm(join(broken, 'model-card.json')), /has no model-card\.json/],
    'without a model': [() => rm(join(broken, 'model.onnx')), /has no model\.onnx/],
    'with the card of another model': [
      () => cp(below('classifier', 'onnx', 'model-card.json'), join(broken, 'model-card.json')),
      /not the model that model-card\.json describes/,
    ],
    'with a newer card': [() => spoil(() => ({ version: 2 })), /version 2/],
    'of a format that cannot be run here': [() => spoil(() => ({ format: 'paper' })), /"paper" cannot be run/],
    'with a damaged card': [() => writeFile(join(broken, 'model-card.json'), '{"version"'), /not JSON/],
    'with a card that lacks entries': [() => spoil(() => ({ outputs: [] })), /not understood: outputs/],
    'with an output that decoding does not expect': [
      () => spoil(() => ({ outputs: [{ name: 'boxes', shape: [1, 2, 4] }] })),
      /contradicts itself: .* output "boxes"/,
    ],
    'with another size': [
      () => spoil(({ input }) => ({ input: { ...(input as object), shape: [1, 32, 32, 3] } })),
      /contradicts itself/,
    ],
  };
  test.each(Object.entries(cases))('%s', async (_, [damage, message]) => {
    await rm(broken, { recursive: true, force: true });
    await cp(below('detector', 'onnx'), broken, { recursive: true });
    await damage();
    await expect(openModel(broken)).rejects.toMatchObject({
      code: 'E_MODEL_FOLDER',
      message: expect.stringMatching(message),
      problems: [{ where: { file: expect.stringContaining(broken) } }],
    });
  });
});

test('the command refuses formats that do not exist and options that exclude each other, with exit code 2', async () => {
  let said = '';
  jest.spyOn(console, 'error').mockImplementation((line: string) => (said += line));
  for (const [flags, message] of [
    [['--format', 'paper'], '--format is one of onnx, savedmodel, tfjs, tflite; got "paper"'],
    [[], '--format is missing'],
    [['--format', 'onnx', '--quantize', 'int4'], '--quantize is one of float16, int8'],
    [['--format', 'savedmodel', '--quantize', 'int8'], 'choose --format onnx or tfjs or tflite, or --quantize float16'],
    [['--format', 'onnx', '--nms', 'inside'], '--nms is one of out, in, none'],
    [['--for', 'ultralytics', '--nms', 'in'], 'leave one of --for and --nms out'],
    [['--format', 'onnx', '--quantize', 'int8', '--images', folder], 'leave one of the two out'],
    [['--format', 'onnx', '--tolerance', '0.1'], 'the tolerance is that of quantisation'],
    [['--format', 'onnx', '--out', below('photos')], 'is not empty'],
  ] as const) {
    said = '';
    expect(await command(['export', made.detection, ...flags])).toBe(2);
    expect(said).toContain(message);
  }
});
