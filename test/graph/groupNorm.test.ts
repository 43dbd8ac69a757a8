import { describe, expect, test } from '@jest/globals';
import { groupNorm } from '../../src/graph/blocks.js';
import * as b from '../../src/graph/builder.js';
import { sizeOf } from '../../src/graph/shapes.js';
import { openEngines } from '../engines.js';
import { uniform } from '../models/formula.js';

const SHAPE = [2, 3, 4, 6] as const;
const GROUPS = 3;
const EPSILON = 1e-5;
const style = { padding: 'symmetric', epsilon: 1e-3, momentum: 0.1 } as const;

/** The formula as it is printed: Wu & He 2018 (arXiv:1803.08494), eqs. 1 to 3 and 6. */
function expected(x: Float32Array, scale: Float32Array, shift: Float32Array): number[] {
  const channels = SHAPE[3];
  const [image, size] = [sizeOf(SHAPE.slice(1)), channels / GROUPS];
  const groupOf = (i: number): string => `${Math.floor(i / image)}.${Math.floor((i % channels) / size)}`;
  const members = new Map<string, number[]>();
  for (const i of x.keys()) members.set(groupOf(i), [...(members.get(groupOf(i)) ?? []), i]);
  const average = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  return Array.from(x, (value, i) => {
    const group = members.get(groupOf(i))!.map((k) => x[k]!);
    const mean = average(group);
    const variance = average(group.map((v) => (v - mean) ** 2));
    return ((value - mean) / Math.sqrt(variance + EPSILON)) * scale[i % channels]! + shift[i % channels]!;
  });
}

describe.each(await openEngines())('on $name', ({ compile }) => {
  test('groupNorm equals the formula, far from zero too', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', SHAPE);
    const y = groupNorm(x, 'norm', { graph, style, trainBatchNorm: () => false }, { groups: GROUPS });
    const session = await compile({ run: { outputs: { y } } });
    const [image, scale, shift] = [uniform('x', sizeOf(SHAPE), 2, 100), uniform('scale', 6), uniform('shift', 6)];
    await session.write(new Map([
      ['norm.weight', { shape: [6], data: scale }],
      ['norm.bias', { shape: [6], data: shift }],
    ])); // prettier-ignore
    const results = await session.run('run', { x: image });
    session.dispose();
    const wanted = expected(image, scale, shift);
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - results['y']![i]!)))).toBeLessThan(1e-4);
  });
});
