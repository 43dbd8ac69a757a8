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

/** The same transposition with fewer axes: axes of length 1 are left out, and axes that stay neighbours become one. */
function merged(shape: Shape, permutation: readonly number[]): { lengths: number[]; permutation: number[] } {
  const runs: number[][] = [];
  for (const axis of permutation.filter((axis) => shape[axis] !== 1)) {
    const run = runs.at(-1);
    const next = run && shape.findIndex((length, i) => i > run.at(-1)! && length !== 1);
    if (axis === next) run!.push(axis);
    else runs.push([axis]);
  }
  const sorted = [...runs].sort(([one], [other]) => one! - other!);
  return {
    lengths: sorted.map((run) => sizeOf(permute(shape, run))),
    permutation: runs.map((run) => sorted.indexOf(run)),
  };
}

/** Values of a block that is moved at a time, along either axis: both its rows and its columns stay in the cache. */
const BLOCK = 32;

/** Transposes row-major values. Returns the data themselves where no value moves. */
export function transposed<T extends Float32Array | Int32Array | Uint8Array>(
  data: T,
  shape: Shape,
  axes: readonly number[],
): T {
  if (isReshape(shape, axes)) return data;
  const { lengths, permutation } = merged(shape, axes);
  const last = lengths.length - 1;
  const stridesOf = (of: readonly number[]) => of.map((_, axis) => sizeOf(of.slice(axis + 1)));
  const readStrides = stridesOf(lengths);
  const writeStrides = new Array<number>(lengths.length);
  for (const [i, stride] of stridesOf(permute(lengths, permutation)).entries()) writeStrides[permutation[i]!] = stride;

  // The axis that is read in order, and the one that is written in order. The other axes are walked through outside.
  const [read, write] = [last, permutation[last]!];
  const outer = lengths.map((_, axis) => axis).filter((axis) => axis !== read && axis !== write);
  const [columns, rows] = [lengths[read]!, read === write ? 1 : lengths[write]!];
  const [rowStride, columnStride] = [readStrides[write]!, writeStrides[read]!];
  const result = data.slice() as T;
  const move = (from: number, to: number): void => {
    for (let row = 0; row < rows; row += BLOCK) {
      for (let column = 0; column < columns; column += BLOCK) {
        const [rowEnd, columnEnd] = [Math.min(rows, row + BLOCK), Math.min(columns, column + BLOCK)];
        for (let j = column; j < columnEnd; j++) {
          const [source, target] = [from + j, to + j * columnStride];
          for (let i = row; i < rowEnd; i++) result[target + i] = data[source + i * rowStride]!;
        }
      }
    }
  };
  const walk = (depth: number, from: number, to: number): void => {
    const axis = outer[depth];
    if (axis === undefined) {
      move(from, to);
      return;
    }
    for (let i = 0; i < lengths[axis]!; i++)
      walk(depth + 1, from + i * readStrides[axis]!, to + i * writeStrides[axis]!);
  };
  walk(0, 0, 0);
  return result;
}
