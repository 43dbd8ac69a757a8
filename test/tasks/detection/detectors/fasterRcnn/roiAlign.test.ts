import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import * as b from '../../../../../src/graph/builder.js';
import { gradients } from '../../../../../src/graph/grad.js';
import { sizeOf } from '../../../../../src/graph/shapes.js';
import type { Shape } from '../../../../../src/graph/spec.js';
import { roiAlign } from '../../../../../src/tasks/detection/detectors/fasterRcnn/roiAlign.js';
import { openEngines } from '../../../../engines.js';

interface Fixture {
  readonly strides: readonly number[];
  readonly size: readonly [number, number];
  readonly every: number;
  readonly boxes: readonly (readonly number[])[];
  readonly y: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

const file = new URL('../../../../fixtures/detectors/roiAlign.json', import.meta.url);
const fixture = JSON.parse(await readFile(file, 'utf8')) as Fixture;
const formula = (shape: Shape, frequency: number): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(frequency * i));
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length);
  return Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value)));
};

const graph = b.createGraph();
const levels = fixture.strides.map((stride, i) => {
  const [height, width] = fixture.size;
  return { map: b.input(graph, `map${i}`, [2, height / stride, width / stride, 1]), stride };
});
const boxes = fixture.boxes.flat();
const count = boxes.length / 4;
const y = roiAlign(levels, b.input(graph, 'boxes', [count, 4]), b.input(graph, 'imageIndex', [count], 'int32'));
const weights = b.constant(graph, [...formula(y.shape, 1.3)], y.shape);
const dmaps = gradients(b.sum(b.mul(y, weights)), levels.map(({ map }) => map)); // prettier-ignore
const feeds = {
  ...Object.fromEntries(levels.map(({ map }, i) => [`map${i}`, formula(map.shape, 0.7 + 0.1 * i)])),
  boxes: Float32Array.from(boxes),
  imageIndex: Int32Array.from(fixture.boxes.flatMap((own, i) => own.slice(0, own.length / 4).map(() => i))),
};

describe.each(await openEngines())("roiAlign on $name equals torchvision's MultiScaleRoIAlign", ({ compile }) => {
  test('features and gradient', async () => {
    const outputs = Object.fromEntries(dmaps.map((dmap, i) => [`d${i}`, dmap]));
    const session = await compile({ run: { outputs: { y, ...outputs } } });
    const results = await session.run('run', feeds);
    session.dispose();
    expect(largestDifference(results.y!, fixture.y)).toBeLessThan(1e-4);
    for (const [i, expected] of fixture.gradients.entries()) {
      const sampled = results[`d${i}`]!.filter((_, j) => j % fixture.every === 0);
      expect(largestDifference(sampled, expected)).toBeLessThan(1e-4);
    }
  });
});
