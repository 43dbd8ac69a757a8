import type { Params } from '../graph/params.js';
import type { Node, Op, Shape, Value } from '../graph/spec.js';
import { DT, type Attr, type GraphDef } from './graphDef.js';

/** What the rules that write TensorFlow's nodes have in common. */

/** Where a node's inputs stand in the GraphDef, and the names of the session's variables. */
export interface Emission {
  readonly def: GraphDef;
  readonly inputs: readonly string[];
  /** For an assign: the node that comes after every read of a parameter. */
  readonly allRead: string;
  /** Name for nodes that must be found again: inputs to feed. */
  readonly inputName: (name: string) => string;
  readonly handle: (parameter: string) => string;
  /** Name of the node that holds a parameter which never changes. */
  readonly constantName: (parameter: string) => string;
  /** Values of parameters that never change: they become constants, which oneDNN lays out once instead of at every run. */
  readonly constants: Params;
  /** Of the backend: write gradients of filters as products of matrices. */
  readonly prefersMatrices: boolean;
}

/** Adds the TensorFlow nodes for one of ours and returns where its outputs are. */
export type Rule<K extends Op> = (node: Node<K>, at: Emission) => readonly string[];

export const T: Readonly<Record<string, Attr>> = { T: { type: DT.float32 } };
export const NHWC: Attr = { string: 'NHWC' };
export const typed = ({ dtype }: Value): Readonly<Record<string, Attr>> => ({ T: { type: DT[dtype] } });

const floatOp = (def: GraphDef, op: string, x: string, ints: string, index: string): string =>
  def.add(op, [x, ints], { ...T, [index]: { type: DT.int32 } });
export const reshapeTo = (def: GraphDef, x: string, shape: Shape): string =>
  floatOp(def, 'Reshape', x, def.ints(shape), 'Tshape');
export const padBy = (def: GraphDef, x: string, paddings: readonly (readonly [number, number])[]): string => {
  const tensor = { dtype: 'int32', shape: [paddings.length, 2], values: paddings.flat() } as const;
  return floatOp(def, 'Pad', x, def.add('Const', [], { dtype: { type: DT.int32 }, value: { tensor } }), 'Tpaddings');
};
export const sliceOf = (def: GraphDef, x: string, begin: Shape, size: Shape): string =>
  def.add('Slice', [x, def.ints(begin), def.ints(size)], { ...T, Index: { type: DT.int32 } });

export const product = (def: GraphDef, a: string, b: string, { transposeA = false, transposeB = false } = {}): string =>
  def.add('MatMul', [a, b], { ...T, transpose_a: { bool: transposeA }, transpose_b: { bool: transposeB } });

export const op2 = (def: GraphDef, op: string, a: string, b: string): string => def.add(op, [a, b], T);
export const op1 = (def: GraphDef, op: string, a: string): string => def.add(op, [a], T);

/** BatchNorm by fixed statistics as x·a + b, [C] each. TensorFlow's own op would be fused into the convolution before it, and on a CPU
 *  that fused convolution takes 40 times as long where the statistics are variables (768 × 768 through an EfficientNet-Lite0). */
export function normalised(
  def: GraphDef,
  { x, scale, shift, mean, variance }: Readonly<Record<'x' | 'scale' | 'shift' | 'mean' | 'variance', string>>,
  epsilon: number,
): string {
  const factor = op2(def, 'Mul', op1(def, 'Rsqrt', op2(def, 'AddV2', variance, def.float(epsilon))), scale);
  return op2(def, 'AddV2', op2(def, 'Mul', x, factor), op2(def, 'Sub', shift, op2(def, 'Mul', mean, factor)));
}
