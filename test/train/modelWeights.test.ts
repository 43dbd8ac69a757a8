import { beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { numberCategories } from '../../src/data/categories.js';
import { FinetuneError } from '../../src/errors.js';
import { createClassification, createDetection, describedTask } from '../../src/evaluate/createTask.js';
import { parseDescription } from '../../src/tasks/description/schema.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import type { DetectionOptions } from '../../src/tasks/detection/detectors.js';
import { createModel, type Model } from '../../src/tasks/model.js';
import type { Task } from '../../src/tasks/task.js';
import { saveModel, withWeights, type ModelLoadOptions } from '../../src/train/modelWeights.js';
import { readWeights } from '../../src/weights/read.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import * as fc from '../fastCheck.js';
import { tinyTable } from '../tinyBackbone.js';

const folder = temporaryFolder();
function detector(changes: Partial<DetectionOptions> = {}, classes: readonly string[] = ['cat', 'dog']): Model {
  const head = changes.head ?? 'ssdlite';
  const options = {
    ...detectorDefaults[head],
    backbone: tinyTable,
    size: [64, 64],
    numClasses: classes.length,
    ...changes,
  } as DetectionOptions;
  return createModel(createDetection(options), { categories: numberCategories(classes), seed: 1 });
}

const saved = join(folder, 'softmax.safetensors');
const trained = detector({ classLoss: 'softmax' });
const load = (model: Model, options: ModelLoadOptions = {}) => withWeights(model, `file:${saved}`, options);

async function problemsOf(promise: Promise<unknown>): Promise<readonly { code: string; message: string }[]> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof FinetuneError ? error.problems : [];
}

beforeAll(() => saveModel(trained, saved));

test('a file says which model its weights are of', async () => {
  const { description } = await readWeights(saved);
  expect(parseDescription(description!, saved)).toEqual(trained.description);
  expect(trained.description).toMatchObject({
    format: 1,
    task: 'detection',
    backbone: { stem: 8 },
    head: { head: 'ssdlite', classLoss: 'softmax', anchors: 'tensorflow' },
    activation: 'softmax',
    background: true,
    selection: { nmsThreshold: 0.6 },
    categories: [
      { id: 1, name: 'cat' },
      { id: 2, name: 'dog' },
    ],
    size: [64, 64],
    mean: [123.675, 116.28, 103.53],
    padding: 'symmetric',
    epsilon: 1e-5,
    images: { resize: 'stretch' },
  });
});

test.each([
  ['no JSON', '{'],
  ['a newer version', '{"format":2,"task":"detection"}'],
  ['a head of no name', JSON.stringify({ ...trained.description, head: { head: '__proto__' } })],
  ['an option of no meaning', JSON.stringify({ ...trained.description, taste: 'sweet' })],
])('a description that is %s is not understood', (_, text) => {
  expect(() => parseDescription(text, saved)).toThrow(expect.objectContaining({ code: 'E_MODEL_DESCRIPTION' }));
});

test('a description with a value of no sense is refused, or describes a model that can be built', () => {
  const values = fc.constantFrom(NaN, -1, 0, 1, 33, 1.5, 1e9, null, 'x', [], [[]], {}, '__proto__', [1e9, 1e9], true);
  const parts = [[], ['head'], ['selection'], ['images'], ['backbone']] as const;
  const one = fc.constantFrom(...parts).chain(([part]) => {
    const entries = part === undefined ? trained.description : (trained.description as never)[part];
    return fc.tuple(fc.constant(part), fc.constantFrom(...Object.keys(entries)), values);
  });
  fc.assert(
    fc.property(one, ([part, key, value]) => {
      const changed = structuredClone(trained.description) as unknown as Record<string, Record<string, unknown>>;
      (part === undefined ? changed : changed[part]!)[key] = value;
      try {
        const description = parseDescription(JSON.stringify(changed), saved);
        const categories = numberCategories(description.categories.map(({ name }) => name));
        createModel(describedTask(description).task as Task, { categories, seed: 1 });
      } catch (error) {
        if (!(error instanceof FinetuneError)) throw error;
        expect(error.code).toMatch(/^E_MODEL_/);
      }
    }),
  );
});

describe('weights for predictions', () => {
  const use = (model: Model, options: ModelLoadOptions = {}) => load(model, { purpose: 'use', ...options });

  test('fit the same model with other thresholds and options of training', async () => {
    const same = detector({ classLoss: 'softmax', nmsThreshold: 0.3, boxLoss: 'giou' });
    const { report } = await use(same);
    expect(report).toMatchObject({ adapted: [], missing: [], unused: [] });
  });

  test('of a softmax are refused by a sigmoid, although all names and shapes would fit', async () => {
    expect(await problemsOf(use(detector({ classLoss: 'sigmoid' })))).toMatchObject([
      { code: 'E_WEIGHTS_MODEL', message: expect.stringContaining('head.classLoss: "softmax" in the file, "sigmoid"') },
    ]);
  });

  test('are refused for each option that differs', async () => {
    const other = detector({
      classLoss: 'softmax',
      lowestLevelAnchors: 6,
      backbone: { ...tinyTable, style: 'tensorflow' },
    });
    const messages = (await problemsOf(use(other))).map(({ message }) => message).join();
    for (const path of ['backbone:', 'padding:', 'epsilon:', 'mean:', 'head.lowestLevelAnchors:']) {
      expect(messages).toContain(path);
    }
  });

  test('are used at another size, and the report says so', async () => {
    const { report } = await use(detector({ classLoss: 'softmax', size: [96, 96] }));
    expect(report.adapted).toEqual(['size: [64,64] in the file, [96,96] in this model']);
  });

  test('know some of the classes, and no others', async () => {
    const { report } = await use(detector({ classLoss: 'softmax' }, ['dog']));
    expect(report.missing).toEqual([]);
    const cow = detector({ classLoss: 'softmax' }, ['dog', 'cow']);
    expect(await problemsOf(use(cow))).toMatchObject([
      { code: 'E_WEIGHTS_MODEL', message: 'classes: the file does not know cow; it has cat, dog' },
    ]);
    const { report: random } = await use(cow, { allowMissing: ['head.class.*'] });
    expect(random.adapted[0]).toContain('cow');
  });
});

describe('weights for a training', () => {
  test('may have another activation, anchors and size, and the report names them', async () => {
    const { report } = await load(detector({ classLoss: 'sigmoid', size: [96, 96] }));
    expect(report.adapted).toEqual(
      expect.arrayContaining([
        'head.classLoss: "softmax" in the file, "sigmoid" in this model',
        'size: [64,64] in the file, [96,96] in this model',
      ]),
    );
  });

  test('of another backbone with the same names are refused', async () => {
    const other = detector({ classLoss: 'softmax', backbone: { ...tinyTable, style: 'tensorflow' } });
    expect((await problemsOf(load(other)))[0]).toMatchObject({ code: 'E_WEIGHTS_MODEL' });
  });

  test('of another head give the backbone alone, and only if that is asked for', async () => {
    const other = detector({ head: 'nmsFree', channels: 8 });
    expect(await problemsOf(load(other))).toMatchObject([
      { code: 'E_WEIGHTS_MODEL', message: expect.stringContaining('head: ssdlite in the file, nmsFree') },
    ]);
    const { report } = await load(other, { allowMissing: ['neck.*', 'head.*'] });
    expect(report.loaded.every((name) => name.startsWith('backbone.'))).toBe(true);
    expect(report.unused).toContain('head.box.0.predict.weight');
    expect(report.adapted).toEqual(['head: ssdlite in the file, nmsFree in this model']);
  });

  test('of a detector give a classifier its backbone', async () => {
    const options = {
      backbone: tinyTable,
      numClasses: 2,
      size: [64, 64],
      labelSmoothing: 0,
      dropout: 0,
      stochasticDepth: 0,
    } as const;
    const categories = numberCategories(['cat', 'dog']);
    const classifier = createModel(createClassification(options), { categories, seed: 1 });
    const { report } = await load(classifier, { allowMissing: ['classifier.*'] });
    expect(report.loaded.length).toBeGreaterThan(10);
    expect(report.missing).toEqual(['classifier.weight', 'classifier.bias']);
  });
});
