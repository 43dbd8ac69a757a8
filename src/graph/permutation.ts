import { sizeOf } from './shapes.js';
import type { Shape } from './spec.js';

/** Permutations of the axes of row-major values. */

export const permute = <T>(list: readonly T[], permutation: readonly number[]): T[] =>
  permutation.map((axis) => list[axis]!);
export const isIdentity = (permutation: readonly number[]): boolean => permutation.every((axis, i) => axis === i);

/** Whether a transposition moves no value: only axes of length 1 change their places. */
export function isReshape(shape: Shape, permutation: readonly number[]): boolean {
  const long = permutation.filter((axis) => shape[axis] !== 1);
  return long.every((axis, i) => i === 0 || axis > long[i - 1]!);
}

/** Transposes row-major values. */
export function transposed<T extends Float32Array | Int32Array | Uint8Array>(
  data: T,
  shape: Shape,
  permutation: readonly number[],
): T {
  if (isReshape(shape, permutation)) return data;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const [lengths, steps] = [permute(shape, permutation), permute(strides, permutation)];
  const result = data.slice() as T;
  const at = lengths.map(() => 0);
  let from = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = data[from]!;
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++at[axis]! < lengths[axis]!) break;
      from -= lengths[axis]! * steps[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
