import { invariant } from '../errors.js';
import type { Param } from '../graph/params.js';
import type { ParamKind } from '../graph/spec.js';
import { transposed } from '../graph/permutation.js';

/** Our axis for each axis of PyTorch's layout: HWIO → OIHW, HWC1 → C1HW, IO → OI. */
const TO_TORCH = { conv: [3, 2, 0, 1], depthwise: [2, 3, 0, 1], linear: [1, 0], vector: [] } as const;
/** The reverse. */
const FROM_TORCH = { conv: [2, 3, 1, 0], depthwise: [2, 3, 0, 1], linear: [1, 0], vector: [] } as const;

/** Converts a shape of ours to PyTorch's layout, which files have. */
export const torchShape = (kind: ParamKind, shape: readonly number[]): number[] => permute(shape, TO_TORCH[kind]);

/** Converts a parameter from our layout to PyTorch's, which all our files have. Vectors of any rank stay as they
 *  are. */
export const toTorch = (kind: ParamKind, param: Param): Param => transpose(param, TO_TORCH[kind]);

/** Converts a parameter from PyTorch's layout to ours. */
export const fromTorch = (kind: ParamKind, param: Param): Param => transpose(param, FROM_TORCH[kind]);

function permute(shape: readonly number[], axes: readonly number[]): number[] {
  if (axes.length === 0) return [...shape];
  invariant(shape.length === axes.length, `a parameter has rank ${shape.length} instead of ${axes.length}`);
  return axes.map((axis) => shape[axis]!);
}

/** Reorders axes: axis i of the result is axis `axes[i]` of the input. Where no value moves, the data are shared. */
const transpose = ({ shape, data }: Param, axes: readonly number[]): Param => ({
  shape: permute(shape, axes),
  data: axes.length === 0 ? data : transposed(data, shape, axes),
});

/** Picks columns: out of every `group` values of the last axis those at `columns`, in that order; −1 gives 0. */
export function pickColumns({ shape, data }: Param, group: number, columns: readonly number[]): Param {
  const groups = data.length / group;
  const picked = new Float32Array(groups * columns.length);
  for (let g = 0; g < groups; g++) {
    for (const [i, column] of columns.entries()) {
      if (column >= 0) picked[g * columns.length + i] = data[g * group + column]!;
    }
  }
  return { shape: [...shape.slice(0, -1), (shape.at(-1)! / group) * columns.length], data: picked };
}

/** Returns `picked` where the file has the column, and the initial values elsewhere. */
export function overlayKnown(initial: Param, picked: Param, columns: readonly number[]): Param {
  const data = initial.data.map((value, i) => (columns[i % columns.length]! >= 0 ? picked.data[i]! : value));
  return { shape: initial.shape, data };
}
