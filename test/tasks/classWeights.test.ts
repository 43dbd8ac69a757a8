import { describe, expect, test } from '@jest/globals';
import { resolveClassWeights } from '../../src/data/classWeights.js';
import type { Annotation, Category, ClassIndex } from '../../src/data/sample.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { classificationTask } from '../../src/tasks/classification/classification.js';
import { detectionTask } from '../../src/tasks/detection/detection.js';
import type { DetectionOptions } from '../../src/tasks/detection/detectors.js';
import { openEngines } from '../engines.js';
import { lossOver } from './lossOver.js';

const categories = ['cat', 'dog', 'owl'].map((name) => ({ name })) as unknown as Category[];
const withCounts = (...counts: number[]): { categories: Category[]; annotations: Annotation[] } => ({
  categories,
  annotations: counts.flatMap((count, label) =>
    Array.from({ length: count }, () => ({ kind: 'wholeImage', classes: [], ignore: [], label: label as ClassIndex }) as unknown as Annotation),
  ),
}); // prettier-ignore

describe('weights of the classes', () => {
  test('by name, others 1; every unknown name is said, with its place', () => {
    expect(resolveClassWeights({ owl: 3 }, withCounts())).toEqual([1, 1, 3]);
    expect(() => resolveClassWeights({ oul: 3, unicorn: 1 }, withCounts())).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ code: 'E_CLASS_WEIGHTS', option: 'train.classWeights.oul', fix: 'did you mean "owl"?' }),
          expect.objectContaining({ fix: 'the categories are: cat, dog, owl' }),
        ],
      }),
    ); // prettier-ignore
  });

  // numpy: 1/((1 − 0.999**n)/0.001) for n = 1000, 100, 10, divided by its mean over the 1110 objects
  test('balanced: inverse effective numbers, mean 1 over the objects', () => {
    const weights = resolveClassWeights('balanced', withCounts(1000, 100, 10));
    for (const [i, golden] of [0.4828, 3.2062, 30.6627].entries()) expect(weights[i]).toBeCloseTo(golden, 3);
    expect(resolveClassWeights('balanced', withCounts(5, 5, 0)).slice(0, 2)).toEqual([1, 1]);
    expect(resolveClassWeights('balanced', withCounts())).toEqual([1, 1, 1]);
  });
});

// torch 2.13: F.cross_entropy(logits, [0, 2, 2], weight=[2, 1, 0.5]), and with label_smoothing=0.1
test.each([[0, 1.0463], [0.1, 1.1493]])("a classifier's weighted loss with smoothing %p is PyTorch's", async (labelSmoothing, golden) => {
  const options = { backbone: 'mobilenetv2_035', numClasses: 3, size: [32, 32] as const, labelSmoothing, dropout: 0, stochasticDepth: 0 };
  const task = classificationTask({ ...options, classWeights: [2, 1, 0.5] });
  const build = () => task.build({ batch: 4, size: [32, 32], trainBatchNorm: () => false });
  const { total } = lossOver(build(), { training: true });
  const plain = lossOver(build()).total;
  const feeds = {
    'output.logits': Float32Array.of(1, 2, 0, 0.5, -1, 3, 0, 0, 1, 9, 9, 9),
    targets: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 1, /* no image: */ 0, 0, 0),
  };
  for (const { compile } of await openEngines()) {
    const session = await compile({ loss: { outputs: { total } }, plain: { outputs: { plain } } });
    expect((await session.run('loss', feeds)).total![0]).toBeCloseTo(golden, 4);
    expect((await session.run('plain', feeds)).plain![0]).toBeCloseTo((1.40761 + 0.09629 + 0.55144) / 3, 3);
    session.dispose();
  }
}); // prettier-ignore

const heads = [
  ['ssdlite', { classLoss: 'sigmoid' }],
  ['ssdlite', { classLoss: 'softmax' }],
  ['retinanet', { backbone: 'resnet18' }],
  ['fcos', { channels: 16 }],
  ['yolov1', {}],
] as const;
test.each(heads)('%s %p: the class loss of what is matched, and nothing else, is times its weight', async (head, more) => {
  const lossOf = (classWeights: readonly number[] | undefined, training: boolean) => {
    const defaults = detectorDefaults[head];
    const options = { ...defaults, backbone: 'mobilenetv2_035', ...more, head, numClasses: 2, size: [96, 96], classWeights };
    const task = detectionTask(options as unknown as DetectionOptions);
    const built = task.build({ batch: 1, size: [96, 96], trainBatchNorm: () => false });
    return { blank: task.blank(), outputs: built.outputs, parts: lossOver(built, { training }).parts };
  };
  const losses = {
    none: lossOf(undefined, true), ones: lossOf([1, 1], true), first: lossOf([3, 1], true), second: lossOf([1, 3], true),
    both: lossOf([3, 3], true), scored: lossOf([3, 1], false),
  };
  const { blank, outputs: predicted } = losses.none;
  const labels = (blank.labels as Int32Array).map((_, i) => ([1, 2, 1][i] ?? 0)); // two anchors of one class, one of the other
  const outputs = Object.entries(predicted).map(([name, { shape }]) => [`output.${name}`, Float32Array.from({ length: shape.reduce((x, y) => x * y) }, (_, i) => Math.sin(i))] as const);
  const [engine] = await openEngines();
  const found: Record<string, Record<string, number>> = {};
  for (const [name, { parts }] of Object.entries(losses)) {
    const session = await engine!.compile({ loss: { outputs: parts } });
    const results = await session.run('loss', { ...blank, labels, ...Object.fromEntries(outputs) });
    found[name] = Object.fromEntries(Object.entries(results).map(([part, [value]]) => [part, value!]));
    session.dispose();
  }
  const of = (name: string): number => found[name]!.class!;
  expect(found.ones).toEqual(found.none);
  expect(found.scored).toEqual(found.none);
  expect(of('first')).toBeGreaterThan(of('ones') * 1.0001);
  expect(of('second')).toBeGreaterThan(of('ones') * 1.0001);
  expect(of('both') - of('first')).toBeCloseTo(of('second') - of('ones'), 3);
  expect(found.both!.box).toBe(found.none!.box);
}); // prettier-ignore
