import type { Params } from '../graph/params.js';
import type { Node, Op, Shape, Value } from '../graph/spec.js';
import { DT, type Attr, type GraphDef } from './graphDef.js';

/** What the rules that write TensorFlow's nodes share. */

/** What a rule needs to write a node: the GraphDef, the names of the node's inputs in it, and of variables and constants. */
export interface Emission {
  readonly def: GraphDef;
  readonly inputs: readonly string[];
  /** For an assign: the node that runs after all reads of parameters. */
  readonly allRead: string;
  /** Name of the placeholder that an input is fed to. */
  readonly inputName: (name: string) => string;
  /** Names of the node that a worker's own value is fetched from, and of the placeholder of the mean over all workers. */
  readonly meansName: (node: number, index: number) => { readonly ofWorker: string; readonly mean: string };
  readonly handle: (parameter: string) => string;
  /** Name of the node that holds a parameter whose value never changes. */
  readonly constantName: (parameter: string) => string;
  /** Values of parameters that never change. They become constants, which oneDNN converts to its own layout once, not at every run. */
  readonly constants: Params;
  /** Whether gradients of filters are written as products of matrices. The backend decides it. */
  readonly prefersMatrices: boolean;
}

/** Adds TensorFlow's nodes for a node of the graph and returns the names of its outputs. */
export type Rule<K extends Op> = (node: Node<K>, at: Emission) => readonly string[];

export const T: Readonly<Record<string, Attr>> = { T: { type: DT.float32 } };
export const NHWC: Attr = { string: 'NHWC' };
export const typed = ({ dtype }: Value): Readonly<Record<string, Attr>> => ({ T: { type: DT[dtype] } });

/** Adds an int32 scalar. */
export const intScalar = (def: GraphDef, value: number): string => intTensor(def, [], [value]);
export const intTensor = (def: GraphDef, shape: Shape, values: readonly number[]): string =>
  def.add('Const', [], { dtype: { type: DT.int32 }, value: { tensor: { dtype: 'int32', shape, values } } });
/** Adds the [rank, 2] tensor of a Pad. */
export const paddingsOf = (def: GraphDef, paddings: readonly (readonly [number, number])[]): string =>
  intTensor(def, [paddings.length, 2], paddings.flat());

const floatOp = (def: GraphDef, op: string, x: string, ints: string, index: string): string =>
  def.add(op, [x, ints], { ...T, [index]: { type: DT.int32 } });
export const reshapeTo = (def: GraphDef, x: string, shape: Shape): string =>
  floatOp(def, 'Reshape', x, def.ints(shape), 'Tshape');
export const padBy = (def: GraphDef, x: string, paddings: readonly (readonly [number, number])[]): string =>
  floatOp(def, 'Pad', x, paddingsOf(def, paddings), 'Tpaddings');
export const sliceOf = (def: GraphDef, x: string, begin: Shape, size: Shape): string =>
  def.add('Slice', [x, def.ints(begin), def.ints(size)], { ...T, Index: { type: DT.int32 } });

/** Picks rows along an axis; `rows` is an int32 vector. */
export const rowsAt = (def: GraphDef, x: string, rows: string, axis: number, type: number = DT.float32): string =>
  def.add('GatherV2', [x, rows, intScalar(def, axis)], {
    Tparams: { type },
    Tindices: { type: DT.int32 },
    Taxis: { type: DT.int32 },
    batch_dims: { int: 0 },
  });

export const product = (def: GraphDef, a: string, b: string, { transposeA = false, transposeB = false } = {}): string =>
  def.add('MatMul', [a, b], { ...T, transpose_a: { bool: transposeA }, transpose_b: { bool: transposeB } });

export const op2 = (def: GraphDef, op: string, a: string, b: string): string => def.add(op, [a, b], T);
export const op1 = (def: GraphDef, op: string, a: string): string => def.add(op, [a], T);

/** BatchNorm with fixed statistics as x·a + b, where a and b are [C]. TensorFlow would fuse its own op into the convolution before
 *  it, and on a CPU the fused convolution takes 40 times as long if the statistics are variables (768 × 768 through an
 *  EfficientNet-Lite0). */
export function normalised(
  def: GraphDef,
  { x, scale, shift, mean, variance }: Readonly<Record<'x' | 'scale' | 'shift' | 'mean' | 'variance', string>>,
  epsilon: number,
): string {
  const factor = op2(def, 'Mul', op1(def, 'Rsqrt', op2(def, 'AddV2', variance, def.float(epsilon))), scale);
  return op2(def, 'AddV2', op2(def, 'Mul', x, factor), op2(def, 'Sub', shift, op2(def, 'Mul', mean, factor)));
}
