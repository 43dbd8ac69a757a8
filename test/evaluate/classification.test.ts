import { expect, test } from '@jest/globals';
import type { ClassIndex, Dataset, Sample } from '../../src/data/sample.js';
import { classificationEvaluator } from '../../src/evaluate/classification.js';
import { confusionMatrix, scoreClassification } from '../../src/evaluate/classificationScore.js';
import * as b from '../../src/graph/builder.js';
import { gradients } from '../../src/graph/grad.js';
import { classificationTask } from '../../src/tasks/classification/classification.js';
import { softCrossEntropyRows } from '../../src/tasks/losses.js';
import { openEngines } from '../engines.js';

const categories = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => ({ id: i + 1, name }));
const answer = (label: number, ...top: number[]) => ({ label: label as ClassIndex, top: top as ClassIndex[] });

test('top-1, top-5, means and confusions', () => {
  const answers = [
    answer(0, 0, 1, 2, 3, 4),
    answer(0, 1, 0, 2, 3, 4),
    answer(1, 1, 0, 2, 3, 4),
    answer(5, 0, 1, 2, 3, 4),
  ];
  const score = scoreClassification(categories, answers);
  expect(score).toMatchObject({ top1: 0.5, top5: 0.75, top1Error: 0.5, top5Error: 0.25, meanPerClass: 0.5, images: 4 });
  expect(score.perCategory[0]).toMatchObject({ images: 2, precision: 0.5, recall: 0.5 });
  expect(score.perCategory[6]).toMatchObject({ images: 0, precision: -1, recall: -1 });
  expect(confusionMatrix(7, answers)[0]).toEqual([1, 1, 0, 0, 0, 0, 0]);
  expect(scoreClassification(categories, [])).toMatchObject({ top1: -1, top1Error: -1, meanPerClass: -1 });
});

test('the evaluator shows the least probable truth first, and a matrix only where it fits', () => {
  const network = classificationTask({
    ...{
      backbone: 'mobilenetv2_035',
      numClasses: 7,
      size: [32, 32],
      labelSmoothing: 0,
      dropout: 0,
      stochasticDepth: 0,
    },
  });
  const dataset = { categories } as unknown as Dataset;
  const evaluator = classificationEvaluator(network, dataset);
  const samples = [0, 3].map((label, i) => ({
    kind: 'wholeImage',
    imageId: i,
    file: `${i}.jpg`,
    label,
  })) as unknown as Sample[];
  const logits = Float32Array.from([4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, /* no image: */ 9, 9, 9, 9, 9, 9, 9]);
  evaluator.add(evaluator.read({ logits }, samples));
  const result = evaluator.finish();
  const { numbers, predictions } = result;
  expect([numbers.top1, numbers.top5]).toEqual([0.5, 1]);
  expect((predictions as unknown[])[1]).toMatchObject({ image: 1, label: 'd', top: [{ label: 'a' }, {}, {}, {}, {}] });
  const shown = result.sections({ images: 1 });
  expect(shown.map(({ kind }) => kind)).toEqual(['numbers', 'matrix', 'categories', 'pictures']);
  expect(shown.at(-1)).toMatchObject({ pictures: [{ imageId: 1, caption: expect.stringContaining('predicted a') }] });
});

test('the soft cross-entropy of one class is the hard one, mixes are mixtures, and its gradient is p − t', async () => {
  const graph = b.createGraph();
  const logits = b.input(graph, 'logits', [3, 4]);
  const targets = b.input(graph, 'targets', [3, 4]);
  const rows = softCrossEntropyRows(logits, targets);
  const [slope] = gradients(b.sum(rows), [logits]);
  const hard = b.softmaxCrossEntropy(logits, b.constant(graph, [1, 2, 0], [3], 'int32'));
  const feeds = {
    logits: Float32Array.from([1, 2, 3, 4, -90, 0, 90, 5, 0.1, 0.2, 0.3, 0.4]), // 90: exp would overflow
    targets: Float32Array.from([0, 1, 0, 0, 0, 0, 1, 0, 0.5, 0, 0, 0.5]),
  };
  for (const { compile } of await openEngines()) {
    const session = await compile({ loss: { outputs: { rows, hard, slope: slope! } } });
    const results = await session.run('loss', feeds);
    expect(results.rows![0]).toBeCloseTo(results.hard![0]!, 5);
    expect(results.rows![1]).toBeCloseTo(results.hard![1]!, 5);
    expect(results.rows![2]).toBeCloseTo(results.hard![2]! - 0.15, 5); // half of class 3, whose logit is 0.3 higher
    const powers = [0.1, 0.2, 0.3, 0.4].map(Math.exp);
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let c = 0; c < 4; c++)
      expect(results.slope![8 + c]).toBeCloseTo(powers[c]! / total - feeds.targets[8 + c]!, 5);
    session.dispose();
  }
});
