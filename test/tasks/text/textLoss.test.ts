import { expect, test } from '@jest/globals';
import { openBackend } from '../../../src/engine/backend.js';
import { compile } from '../../../src/engine/compile.js';
import { createGraph, input } from '../../../src/graph/builder.js';
import { gradients } from '../../../src/graph/grad.js';
import { randomStream } from '../../../src/random.js';
import { mapLoss, type TextLossOptions } from '../../../src/tasks/text/textLoss.js';

const CELLS = 1200;

/** The loss computed with plain numbers, as its documentation describes it. */
function expected(
  prediction: Float32Array,
  target: Float32Array,
  weight: Float32Array,
  { loss, negatives }: TextLossOptions,
): number {
  const squares = prediction.map((value, i) => weight[i]! * (value - target[i]!) ** 2);
  const mean = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  if (loss === 'mse') return mean(squares);
  let total = 0;
  for (const n of [0, 1]) {
    const rows = Array.from({ length: CELLS }, (_, i) => n * CELLS + i);
    const positive = rows.filter((i) => target[i]! > 0.1);
    const others = rows.filter((i) => target[i]! <= 0.1).map((i) => squares[i]!);
    const wanted = Math.max(500, negatives * positive.length);
    total += mean(positive.map((i) => squares[i]!)) + mean(others.sort((a, b) => b - a).slice(0, wanted));
  }
  return total / 2;
}

test.each<TextLossOptions>([
  { loss: 'mse', negatives: 3 },
  { loss: 'hardNegatives', negatives: 3 },
  { loss: 'hardNegatives', negatives: 1 },
])(
  '$loss with $negatives negatives is what it is documented to be, and masked cells have no gradient',
  async (options) => {
    const graph = createGraph();
    const shape = [2, CELLS];
    const [prediction, target, weight] = ['prediction', 'target', 'weight'].map((name) =>
      input(graph, name, shape),
    ) as [ReturnType<typeof input>, ReturnType<typeof input>, ReturnType<typeof input>];
    const loss = mapLoss(prediction, target, weight, options);
    const [gradient] = gradients(loss, [prediction]);
    const session = await compile({ all: { outputs: { loss, gradient: gradient! } } }, await openBackend());
    const random = randomStream(1, 'loss');
    const feeds = {
      prediction: Float32Array.from({ length: 2 * CELLS }, () => random.uniform(-0.2, 1.1)),
      target: Float32Array.from({ length: 2 * CELLS }, () => (random.chance(0.25) ? random.next() : 0)),
      weight: Float32Array.from({ length: 2 * CELLS }, () => (random.chance(0.1) ? 0 : random.chance(0.1) ? 0.5 : 1)),
    };
    feeds.target.fill(0, CELLS); // the second image has no text
    const results = await session.run('all', feeds);
    const wanted = expected(feeds.prediction, feeds.target, feeds.weight, options);
    expect(results.loss![0]! / wanted).toBeCloseTo(1, 2); // cells with equal losses at the limit are left out together
    results.gradient!.forEach((value, i) => expect(feeds.weight[i] === 0 ? Math.abs(value) : 0).toBe(0));
    session.dispose();
  },
);
