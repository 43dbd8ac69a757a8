import { beforeAll, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as api from '../../src/index.js';
import { FinetuneError } from '../../src/errors.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import * as fc from '../fastCheck.js';
import { tinyTable } from '../tinyBackbone.js';

/** Arguments of no sense: whatever JavaScript has, and numbers at the edges. */
const anything = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
  fc.constantFrom(NaN, Infinity, -1, 0, 1.5, 1e9, -32, 32.5, '__proto__', 'constructor', 'x', '\0', [], {}, null),
);

/** Calls a public function, which may succeed; anything thrown must be a FinetuneError with a code of ours. */
async function expectLocated(call: () => unknown): Promise<void> {
  try {
    const result = (await call()) as { dispose?: () => void } | undefined;
    result?.dispose?.();
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    expect(error.code).toMatch(/^E_[A-Z_]+$/);
    expect(error.code).not.toBe('E_INTERNAL');
    expect(error.message.length).toBeLessThan(20_000);
  }
}

const folder = temporaryFolder();
const data = { format: 'voc', root: folder, train: 'train', val: 'val' };
/** Options that are right, of which one is replaced. */
const mutated = (right: object) =>
  fc
    .tuple(fc.constantFrom(...Object.keys(right), 'more'), anything)
    .map(([key, value]) => ({ ...right, [key]: value }));

/** The same with numbers at the edges alone, which more often make a model. */
const small = (right: object) =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(right)),
      fc.constantFrom(NaN, Infinity, -1, 0, 1, 33, 1.5, 1e9, 2 ** 60, [], [[]], [1e9, 1e9], 'none'),
    )
    .map(([key, value]) => ({ ...right, [key]: value }));

const [row] = tinyTable.rows;
const smallTable = fc
  .tuple(fc.array(small({ ...row }), { minLength: 1, maxLength: 5 }), fc.constantFrom('ssdlite', 'retinanet', 'yolov1'))
  .map(([rows, head]) => ({ head, backbone: { ...tinyTable, rows }, classes: 1, size: [64, 64] }));

const functions: readonly (readonly [string, fc.Arbitrary<readonly unknown[]>])[] = [
  ['createModel', fc.tuple(anything)],
  ['createModel', fc.tuple(mutated({ task: 'classification', backbone: tinyTable, classes: 0, size: [32, 32] }))],
  ['createModel', fc.tuple(mutated({ backbone: tinyTable, head: 'retinanet', classes: 0, channels: 8 }))],
  ['createModel', fc.tuple(small({ task: 'classification', backbone: tinyTable, classes: 2, size: [32, 32] }))],
  [
    'createModel',
    fc.tuple(
      small({ head: 'retinanet', backbone: tinyTable, classes: 1, size: 64, channels: 8, anchorScale: 4, neck: 'fpn' }),
    ),
  ],
  [
    'createModel',
    fc.tuple(
      small({
        head: 'fasterRcnn',
        backbone: tinyTable,
        classes: 1,
        size: [64, 64],
        channels: 8,
        units: 8,
        proposals: 5,
      }),
    ),
  ],
  [
    'createModel',
    fc.tuple(
      small({
        head: 'yolov1',
        backbone: tinyTable,
        classes: 1,
        size: [64, 64],
        channels: 8,
        hidden: 0,
        boxesPerCell: 2,
      }),
    ),
  ],
  [
    'createModel',
    fc.tuple(
      small({
        head: 'ssdlite',
        backbone: tinyTable,
        classes: 1,
        size: [64, 64],
        anchors: 'tensorflow',
        finestStride: 16,
      }),
    ),
  ],
  ['createModel', fc.tuple(smallTable)],
  ['openModel', fc.tuple(anything, anything)],
  ['openModel', fc.tuple(fc.constant(folder), anything)],
  ['exportModel', fc.tuple(anything, anything)],
  ['exportModel', fc.tuple(fc.constant(folder), mutated({ format: 'onnx' }))],
  ['exportDemo', fc.tuple(anything, anything)],
  ['exportDemo', fc.tuple(fc.constant(folder), mutated({ format: 'tfjs' }))],
  ['serve', fc.tuple(anything, anything)],
  ['serve', fc.tuple(fc.constant(folder), mutated({ port: 0, workers: 0, batch: 2 }))],
  ['writeBundle', fc.tuple(anything, anything)],
  ['writeBundle', fc.tuple(fc.constant(folder), mutated({ dataLicense: 'CC0-1.0' }))],
  ['verifyBundle', fc.tuple(anything, anything)],
  ['verifyBundle', fc.tuple(fc.constant(folder), mutated({ hashesOnly: true }))],
  ['bench', fc.tuple(anything, anything)],
  ['bench', fc.tuple(fc.constant(folder), mutated({ rounds: 1 }))],
  ['loadRecipe', fc.tuple(anything, anything)],
  ['loadRecipe', fc.tuple(fc.constant('recipes/quickstart.yaml'), mutated({ set: ['train.epochs=1'] }))],
  ['finetune', fc.tuple(anything, anything)],
  ['finetune', fc.tuple(mutated({ task: 'detection', data, model: {}, train: {} }), mutated({ directory: 7 }))],
  ['evaluateRecipe', fc.tuple(anything, anything)],
  ['openDatasets', fc.tuple(anything, anything)],
  ['openDatasets', fc.tuple(mutated(data))],
  ['openDatasets', fc.tuple(fc.constant(data), anything)],
  ['scoreCoco', fc.tuple(anything)],
];

test('the table has every public function', () => {
  const names = Object.entries(api).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(new Set(functions.map(([name]) => name))).toEqual(new Set(names.filter((name) => name !== 'FinetuneError')));
});

test.each(functions)(
  '%s throws a FinetuneError for arguments of no sense (table row %#)',
  async (name, argumentsOf) => {
    const call = api[name as keyof typeof api] as (...given: readonly unknown[]) => unknown;
    await fc.assert(
      fc.asyncProperty(argumentsOf, (given) => expectLocated(() => call(...given))),
      { numRuns: 60 },
    );
  },
  60_000,
);

test('every recipe that is committed is a recipe to the functions that take one', async () => {
  for (const name of readdirSync('recipes').filter((file) => file.endsWith('.yaml'))) {
    const recipe = await api.loadRecipe(join('recipes', name), { set: [`data.root=${join(folder, 'none')}`] });
    const wrong = { resume: 'yes' } as never; // the recipe is checked first
    await expect(api.finetune(recipe, wrong)).rejects.toMatchObject({ problems: [{ message: /"options.resume"/ }] });
  }
});

test('a batch that no memory holds is out of range', async () => {
  const huge = api.loadRecipe('recipes/quickstart.yaml', { set: ['evaluate.batch=1000000000'] });
  await expect(huge).rejects.toMatchObject({ code: 'E_RECIPE_VALUE' });
});

test('a recipe without its defaults is refused with the first one; data options need none', async () => {
  const recipe = await api.loadRecipe('recipes/quickstart.yaml');
  const data = { ...recipe.data, size: undefined };
  await expect(api.finetune({ ...recipe, data } as never)).rejects.toMatchObject({
    problems: [{ code: 'E_USAGE', message: '"source.data.size" is missing' }],
  });
  const emptyModel = { ...recipe, model: Float32Array.of() } as never;
  await expect(api.evaluateRecipe(emptyModel)).rejects.toMatchObject({ message: expect.stringMatching(/missing/) });
  const voc = { format: 'voc', root: folder, val: 'val' } as never;
  await expect(api.openDatasets(voc)).rejects.toMatchObject({ message: expect.stringContaining('train') });
});

test('a recipe that was changed by hand is refused with the option', async () => {
  const recipe = await api.loadRecipe('recipes/quickstart.yaml');
  const wrong = { ...recipe, train: { ...recipe.train, epochs: -1 } } as never;
  await expect(api.finetune(wrong)).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('"source.train.epochs" must be a whole number, at least 1; got -1') as unknown,
  });
});

let model: api.Classifier;
beforeAll(async () => {
  model = await api.createModel({ task: 'classification', backbone: tinyTable, classes: 2, size: [32, 32] });
});

test.each(['predict', 'load', 'save'] as const)('%s of a model throws a FinetuneError', async (method) => {
  const wrong = anything.filter((value) => method !== 'save' || typeof value !== 'string');
  const methods = model as unknown as Record<string, (...given: readonly unknown[]) => unknown>;
  await fc.assert(
    fc.asyncProperty(wrong, anything, (one, other) => expectLocated(() => methods[method]!(one, other))),
    { numRuns: 100 },
  );
});

test('calls at once with other batches work off one after the other, and none is possible after dispose', async () => {
  const own = await api.createModel({ task: 'classification', backbone: tinyTable, classes: 2, size: [32, 32] });
  const pixels = (count: number) => new Uint8Array(count * 32 * 32 * 3);
  const calls = [1, 2, 3, 1].map((count) => own.predict(pixels(count)));
  own.dispose();
  own.dispose();
  expect((await Promise.all(calls)).map((found) => found.length)).toEqual([1, 2, 3, 1]);
  await expect(own.predict(pixels(1))).rejects.toMatchObject({ code: 'E_MODEL_DISPOSED' });
  await expect(own.load('file:x')).rejects.toMatchObject({ code: 'E_MODEL_DISPOSED' });
});
