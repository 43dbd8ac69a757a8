import { expect, test } from '@jest/globals';
import { transposed } from '../../src/graph/permutation.js';
import { sizeOf } from '../../src/graph/shapes.js';
import * as fc from '../fastCheck.js';

/** Computes the place of each value by itself. */
function expected(data: Float32Array, shape: readonly number[], axes: readonly number[]): number[] {
  const lengths = axes.map((axis) => shape[axis]!);
  return Array.from(data, (_, place) => {
    let from = 0;
    for (let i = axes.length - 1, rest = place; i >= 0; i--) {
      from += (rest % lengths[i]!) * sizeOf(shape.slice(axes[i]! + 1));
      rest = Math.floor(rest / lengths[i]!);
    }
    return data[from]!;
  });
}

test('values are where the permutation of their axes says', () => {
  const shapes = fc.array(fc.constantFrom(1, 2, 3, 5, 40), { minLength: 1, maxLength: 4 });
  const cases = shapes.chain((shape) => {
    const axes = [...shape.keys()];
    return fc.tuple(fc.constant(shape), fc.shuffledSubarray(axes, { minLength: axes.length }));
  });
  fc.assert(
    fc.property(cases, ([shape, axes]) => {
      fc.pre(sizeOf(shape) < 20_000);
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i);
      expect(Array.from(transposed(data, shape, axes))).toEqual(expected(data, shape, axes));
    }),
  );
});
