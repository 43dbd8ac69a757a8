import { expect, test } from '@jest/globals';
import * as b from '../../../../../src/graph/builder.js';
import type { Value } from '../../../../../src/graph/spec.js';
import { randomStream } from '../../../../../src/random.js';
import { sampleOrder, takeFirst } from '../../../../../src/tasks/detection/detectors/fasterRcnn/sampling.js';
import { openEngines } from '../../../../engines.js';

const engine = (await openEngines()).at(-1)!;
const T = 200;

/** Runs a sample of 40 rows, 10 of them positive at most, over one image. */
async function draw(positives: number, negatives: number, balanced: boolean) {
  const graph = b.createGraph();
  const input = (name: string): Value => b.input(graph, name, [1, T]);
  const options = { count: 40, positive: 0.25, matchIou: 0.5 };
  const named = { positive: input('positive'), negative: input('negative'), keys: input('keys') };
  const order = sampleOrder(balanced ? { ...named, overlaps: input('overlaps') } : named, options);
  const session = await engine.compile({ run: { outputs: { taken: takeFirst(order, 40) } } });
  const random = randomStream(3, 'sampling');
  const isPositive = Float32Array.from({ length: T }, (_, i) => (i < positives ? 1 : 0));
  const isNegative = Float32Array.from({ length: T }, (_, i) => (i >= positives && i < positives + negatives ? 1 : 0));
  // Nine of ten negatives overlap no object.
  const overlaps = Float32Array.from({ length: T }, (_, i) =>
    isPositive[i] ? 0.8 : i % 20 === 0 ? 0.2 : i % 20 === 1 ? 0.4 : 0,
  );
  const keys = Float32Array.from({ length: T }, () => random.uniform(0, 1));
  const feeds = { positive: isPositive, negative: isNegative, keys, ...(balanced && { overlaps }) };
  const taken = (await session.run('run', feeds)).taken!;
  session.dispose();
  const count = (which: (i: number) => boolean): number => taken.filter((value, i) => value > 0 && which(i)).length;
  return {
    positive: count((i) => isPositive[i] === 1),
    negative: count((i) => isNegative[i] === 1),
    overlapping: count((i) => isNegative[i] === 1 && overlaps[i]! > 0),
    others: count((i) => isPositive[i] === 0 && isNegative[i] === 0),
  };
}

test('a quarter is positive, the rest negative', async () => {
  expect(await draw(30, 150, false)).toMatchObject({ positive: 10, negative: 30, others: 0 });
});

test('missing positives are made up for by negatives, and missing rows by nothing', async () => {
  expect(await draw(4, 150, false)).toMatchObject({ positive: 4, negative: 36, others: 0 });
  expect(await draw(4, 20, false)).toMatchObject({ positive: 4, negative: 20, others: 0 });
  expect(await draw(0, 20, false)).toMatchObject({ positive: 0, negative: 20, others: 0 });
});

test('balanced by IoU, the few negatives that overlap an object are all taken', async () => {
  const plain = await draw(30, 150, false);
  const balanced = await draw(30, 150, true);
  expect(balanced).toMatchObject({ positive: 10, negative: 30, others: 0, overlapping: 14 });
  expect(plain.overlapping).toBeLessThan(8);
});
