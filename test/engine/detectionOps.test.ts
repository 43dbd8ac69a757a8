import { describe, expect, test } from '@jest/globals';
import * as b from '../../src/graph/builder.js';
import { gradients } from '../../src/graph/grad.js';
import { openEngines, openInferenceEngines } from '../engines.js';

describe.each(await openInferenceEngines())('on $name', ({ compile }) => {
  test('gather takes rows of each image', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [2, 3, 2]);
    const session = await compile({ run: { outputs: { y: b.gather(x, b.input(graph, 'rows', [2, 4], 'int32')) } } });
    const feeds = { x: Float32Array.from({ length: 12 }, (_, i) => i), rows: Int32Array.of(2, 0, 0, 1, 1, 2, 2, 0) };
    const { y } = await session.run('run', feeds);
    session.dispose();
    expect([...y!]).toEqual([4, 5, 0, 1, 0, 1, 2, 3, 8, 9, 10, 11, 10, 11, 6, 7]);
  });

  test('nonMaxSuppression keeps the best of what overlaps, image by image, and says how many', async () => {
    const graph = b.createGraph();
    const boxes = b.input(graph, 'boxes', [2, 4, 4]);
    const scores = b.input(graph, 'scores', [2, 4]);
    const [rows, count] = b.nonMaxSuppression(boxes, scores, { threshold: 0.5, limit: 3 });
    const session = await compile({ run: { outputs: { rows: rows!, count: count! } } });
    const one = [0, 0, 10, 10, 0, 0, 10, 9, 20, 0, 30, 10, 0, 5, 10, 15]; // IoU with the first: .9, 0, ⅓
    const other = [0, 0, 10, 10, 0, 0, 10, 9, 0, 0, 9, 10, 1, 0, 10, 10];
    const results = await session.run('run', {
      boxes: Float32Array.of(...one, ...other),
      scores: Float32Array.of(0.5, 0.9, -2, 0.8, 0.1, 0.2, 0.3, 0.4),
    });
    session.dispose();
    expect([...results.rows!]).toEqual([1, 3, 2, 3, 0, 0]);
    expect([...results.count!]).toEqual([3, 1]);
  });

  test('nonMaxSuppression passes over what is not finite, so that the loss can say so', async () => {
    const graph = b.createGraph();
    const boxes = b.input(graph, 'boxes', [1, 3, 4]);
    const scores = b.input(graph, 'scores', [1, 3]);
    const [rows] = b.nonMaxSuppression(boxes, scores, { threshold: 0.5, limit: 1 });
    const session = await compile({ run: { outputs: { rows: rows! } } });
    const results = await session.run('run', {
      boxes: Float32Array.of(NaN, 0, Infinity, 10, 0, 0, 10, 10, NaN, NaN, NaN, NaN),
      scores: Float32Array.of(0.5, 0.9, NaN),
    });
    session.dispose();
    expect(results.rows).toHaveLength(1);
  });
});

describe.each(await openEngines())('on $name', ({ name, compile }) => {
  // TensorFlow's own kernel loses sums when two threads meet at a pixel, unless it is told to be deterministic.
  test('the gradient of many windows over the same pixels loses nothing', async () => {
    const [side, channels, count] = name === 'wasm' ? [8, 2, 20] : [24, 64, 400];
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [1, side, side, channels]);
    const windows = b.constant(graph, Array.from({ length: count }, () => [0, 0, side - 1, side - 1]).flat(), [count, 4]); // prettier-ignore
    const index = b.constant(graph, new Array<number>(count).fill(0), [count], 'int32');
    const [dx] = gradients(b.sum(b.cropAndResize(x, windows, index, [side, side])), [x]);
    const session = await compile({ run: { outputs: { dx: dx! } } });
    const computed = await session.run('run', {});
    session.dispose();
    expect(Math.max(...computed.dx!.map((value) => Math.abs(value - count)))).toBeLessThan(count * 1e-3);
  });
});
