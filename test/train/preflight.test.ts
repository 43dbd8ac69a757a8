import { describe, expect, test } from '@jest/globals';
import type { Annotation, Category, ClassIndex, Dataset } from '../../src/data/sample.js';
import { createClassification, createDetection } from '../../src/evaluate/createTask.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import * as b from '../../src/graph/builder.js';
import { createModel } from '../../src/tasks/model.js';
import type { DetectionOptions } from '../../src/tasks/detection/detectors.js';
import { categoriesWithout, checkFrozen, unlikelyStart } from '../../src/train/preflight.js';
import type { TrainPrograms } from '../../src/train/programs.js';

const categories = ['cat', 'dog', 'owl'].map((name, i) => ({ id: i + 1, name })) as unknown as Category[];
const image = (label: number): Annotation => ({ kind: 'wholeImage', classes: [], ignore: [], label: label as ClassIndex }) as unknown as Annotation; // prettier-ignore

test('categories without examples are named', () => {
  const data = (...labels: number[]): Pick<Dataset, 'categories' | 'annotations'> => ({ categories, annotations: labels.map(image) }); // prettier-ignore
  expect(categoriesWithout(data(0, 1, 2))).toBeUndefined();
  expect(categoriesWithout(data(1))).toMatch(/: cat, owl; /);
});

test('an update of what is frozen is a mistake of ours', () => {
  const graph = b.createGraph();
  const value = b.input(graph, 'x', []);
  const programs = (name: string, trained: string[] = []): TrainPrograms => ({ train: { outputs: {}, updates: [b.assign(name, value)] }, trained } as unknown as TrainPrograms); // prettier-ignore
  const plan = { frozen: (name: string) => name === 'backbone.a', trainBatchNorm: () => true };
  expect(() => checkFrozen(programs('backbone.b', ['backbone.b']), plan)).not.toThrow();
  for (const wrong of [programs('backbone.a'), programs('momentum/backbone.a'), programs('b', ['backbone.a'])])
    expect(() => checkFrozen(wrong, plan)).toThrow(/internal: backbone.a is frozen/);
});

describe('the loss of the first step', () => {
  const plain = { labelSmoothing: 0, dropout: 0, stochasticDepth: 0, size: [64, 64] as const };
  const named = (backbone: string) =>
    createModel(createClassification({ ...plain, backbone, numClasses: 3 }), { categories, seed: 4 });
  const at = (value: number) => ({ loss: Float32Array.of(value), class: Float32Array.of(value) });

  test.each(['mobilenetv2_035', 'squeezenet1_1'])('of a classifier on %s is about ln K', (backbone) => {
    const model = named(backbone);
    expect(unlikelyStart(model, at(Math.log(3)), 4)).toBeUndefined();
    expect(unlikelyStart(model, at(7), 4)).toMatch(/first step is 7.00, .* about 1.10 \(ln K\)/);
    expect(unlikelyStart(model, at(0.01), 4)).toMatch(/about 1.10/);
    expect(unlikelyStart(model, at(7), 5)).toBeUndefined(); // the predictor has other values than the seed gives, so they came from weights
  }); // prettier-ignore

  // softmax: ln(K + 1) for each anchor, with three negatives for a match; sigmoid: 0.25 · 0.99² · −ln 0.01 for a match
  test.each([
    ['ssdlite', { classLoss: 'softmax' }, 4 * Math.log(4)],
    ['ssdlite', { classLoss: 'sigmoid' }, 1.1284],
    ['retinanet', { channels: 32 }, 1.1284],
  ] as const)('of %s %p', (head, more, wanted) => {
    const options = { ...detectorDefaults[head], ...more, head, backbone: 'mobilenetv2_035', numClasses: 3, size: [64, 64] };
    const model = createModel(createDetection(options as unknown as DetectionOptions), { categories, seed: 4 });
    expect(model.task.start!.loss).toBeCloseTo(wanted, 3);
    expect(unlikelyStart(model, at(1.5 * wanted), 4)).toBeUndefined();
    expect(unlikelyStart(model, at(9 * wanted), 4)).toMatch(/^the class loss of the first step/);
    expect(unlikelyStart(model, at(0), 4)).toBeUndefined(); // no object met an anchor
  }); // prettier-ignore
});
