import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { bench as Bench } from '../src/bench/bench.js';
import { quantiles, recommend, takeTurns } from '../src/bench/contest.js';
import { numberCategories } from '../src/data/categories.js';
import { createClassification } from '../src/evaluate/createTask.js';
import { createModel } from '../src/tasks/model.js';
import { saveModel } from '../src/train/modelWeights.js';
import { temporaryFolder } from './data/temporaryFolder.js';
import { tinyTable } from './tinyBackbone.js';

const folder = temporaryFolder();
const slow = process.env['FINETUNE_SLOW'] === '1' ? test : test.skip;

describe('a contest', () => {
  test('lets all take turns, and does not count the first round', async () => {
    const order: string[] = [];
    const contestant = (name: string, times: readonly number[]) => () => {
      order.push(name);
      return Promise.resolve(order.length <= 2 ? [1000] : times);
    };
    const timed = await takeTurns([contestant('a', [3, 1, 2]), contestant('b', [9])], 2);
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(timed).toEqual([
      { p50: 2, p95: 3, calls: 6 },
      { p50: 9, p95: 9, calls: 2 },
    ]);
  });

  test('has quantiles that are calls', () => {
    const times = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantiles(times)).toEqual({ p50: 51, p95: 96, calls: 100 });
  });

  test('is won by the fastest, and by the smaller one of two that are as fast', () => {
    const row = (p50: number, memoryBytes: number) => ({ p50, p95: p50, calls: 1, memoryBytes });
    const [slowOne, fast, asFast] = [row(20, 1), row(10, 300), row(10.2, 200)];
    expect(recommend([slowOne, fast])).toBe(fast);
    expect(recommend([slowOne, fast, asFast])).toBe(asFast);
    expect([recommend<typeof fast>([])]).toEqual([undefined]);
  });
});

slow('bench measures a checkpoint on the engines that are in place, each in a process of its own', async () => {
  const file = join(folder, 'classifier.safetensors');
  const options = { backbone: tinyTable, size: [32, 32], numClasses: 2, labelSmoothing: 0, dropout: 0 } as const;
  const categories = numberCategories(['dog', 'cat']);
  await saveModel(createModel(createClassification({ ...options, stochasticDepth: 0 }), { categories, seed: 1 }), file);
  const compiled = new URL('../dist/bench/bench.js', import.meta.url).href;
  const { bench } = (await import(compiled)) as { bench: typeof Bench };
  const { rows, recommended } = await bench(file, { rounds: 1 });
  expect(rows.map(({ engine }) => engine).sort()).toEqual(['onnxruntime', 'tensorflow', 'wasm']);
  expect(rows[0]).toMatchObject({ format: 'safetensors', model: file });
  expect(recommended.engine).not.toBe('wasm');
  for (const { p50, p95, memoryBytes } of rows) expect([p50 <= p95, memoryBytes > 1e7]).toEqual([true, true]);
});
