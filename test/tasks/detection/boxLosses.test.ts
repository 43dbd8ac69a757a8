import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import * as b from '../../../src/graph/builder.js';
import { gradients } from '../../../src/graph/grad.js';
import { balancedL1, boxLoss, decodeOffsets, iouLoss } from '../../../src/tasks/detection/boxLosses.js';
import { decodeBoxes, encodeBoxes } from '../../../src/tasks/detection/boxCoder.js';
import { cxcywhToXyxy, cxcywh, xyxy } from '../../../src/geometry/box.js';
import { openEngines } from '../../engines.js';

interface Golden {
  readonly loss: readonly number[];
  readonly gradient: readonly number[];
}
interface Fixture extends Readonly<Record<'giou' | 'diou', Golden>> {
  readonly prediction: readonly (readonly number[])[];
  readonly truth: readonly (readonly number[])[];
}

const file = new URL('../../fixtures/detectors/boxLosses.json', import.meta.url);
const fixture = JSON.parse(await readFile(file, 'utf8')) as Fixture;
const rows = fixture.truth.length;
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value)));

describe.each(await openEngines())('box losses on $name', ({ compile }) => {
  test.each(['giou', 'diou'] as const)("%s and its gradient equal torchvision's", async (kind) => {
    const graph = b.createGraph();
    const prediction = b.input(graph, 'prediction', [rows, 4]);
    const loss = iouLoss(prediction, b.constant(graph, fixture.truth.flat(), [rows, 4]), kind);
    const [gradient] = gradients(b.sum(loss), [prediction]);
    const session = await compile({ run: { outputs: { loss, gradient: gradient! } } });
    const results = await session.run('run', { prediction: Float32Array.from(fixture.prediction.flat()) });
    session.dispose();
    expect(farthest(results.loss!, fixture[kind].loss)).toBeLessThan(1e-5);
    expect(farthest(results.gradient!, fixture[kind].gradient)).toBeLessThan(1e-5);
  });

  test('balanced L1 has the gradient that defines it: α·ln(b·d + 1) below 1, γ above', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [4]);
    const [gradient] = gradients(b.sum(balancedL1(x, b.scalar(graph, 0))), [x]);
    const session = await compile({ run: { outputs: { gradient: gradient! } } });
    const { gradient: computed } = await session.run('run', { x: Float32Array.of(0.01, 0.5, -0.9, 3) });
    session.dispose();
    const slope = Math.exp(1.5 / 0.5) - 1;
    const inlier = (d: number): number => 0.5 * Math.log(slope * d + 1);
    expect(farthest(computed!, [inlier(0.01), inlier(0.5), -inlier(0.9), 1.5])).toBeLessThan(1e-5);
  });

  test('offsets decode in the graph as outside of it, and a perfect prediction costs nothing', async () => {
    const scale = { centre: 10, size: 5 };
    const anchors = cxcywh([20, 30, 16, 24, 50, 60, 40, 10]);
    const truth = xyxy([10, 20, 30, 50, 40, 40, 90, 70]);
    const offsets = encodeBoxes(truth, anchors, scale);
    const graph = b.createGraph();
    const given = b.input(graph, 'offsets', [2, 4]);
    const at = b.constant(graph, [...anchors], [2, 4]);
    const kinds = ['l1', 'smoothL1', 'balancedL1', 'giou', 'diou'] as const;
    const losses = kinds.map((kind) => b.sum(boxLoss(given, given, at, { kind, beta: 1, scale })));
    const outputs = { boxes: decodeOffsets(given, at, scale), losses: b.concat(losses.map((x) => b.reshape(x, [1])), 0) }; // prettier-ignore
    const session = await compile({ run: { outputs } });
    const results = await session.run('run', { offsets });
    session.dispose();
    expect(farthest(results.boxes!, decodeBoxes(offsets, anchors, scale))).toBeLessThan(1e-3);
    expect(farthest(results.boxes!, truth)).toBeLessThan(1e-3);
    expect(farthest(results.losses!, [0, 0, 0, 0, 0])).toBeLessThan(1e-5);
    expect(cxcywhToXyxy(anchors)).not.toEqual(truth);
  });
});
