import { isOp } from '../graph/builder.js';
import type { Param } from '../graph/params.js';
import { transposed, permute } from '../graph/permutation.js';
import { layerOf } from '../graph/reading.js';
import type { DType, Node, Op, Shape, Value } from '../graph/spec.js';
import type { Options, TfliteNode, TfliteTensor } from './model.js';
import type { OperatorName, TfliteType } from './operators.js';

/** What the rules that write TFLite's nodes share. Our graphs and TFLite have images in the same layout, NHWC. */

/** Adds TFLite's nodes for a node of the graph and returns the tensors of its outputs. */
export type Rule<K extends Op> = (node: Node<K>, at: Emission) => readonly string[];

/** The program that is written. */
export interface Reading {
  readonly valueOf: (parameter: string) => Param;
  /** Number of nodes that read the value; more than one if the program returns it. */
  readonly countReaders: (value: Value) => number;
  /** Applies the rule of a node. */
  readonly apply: (node: Node, at: Emission) => readonly string[];
}

type Data = Float32Array | Int32Array | Uint8Array;

/** Writes a program node by node. A node of the graph is written when its value is first asked for, so that a rule which
 *  stands for several nodes just does not ask for the values between them. */
export interface Emission {
  /** The tensor of a value. */
  in(value: Value): string;
  /** The tensor of a value with its axes permuted: a constant is permuted at once, another value by a node. */
  permuted(value: Value, permutation: readonly number[]): string;
  /** The values of a parameter or a constant; undefined for others. */
  known(value: Value): Data | undefined;
  /** Adds a node with one output of this type and returns its tensor. */
  add(op: OperatorName, inputs: readonly string[], type: Typed, options?: Options): string;
  addMany(op: OperatorName, inputs: readonly string[], types: readonly Typed[], options?: Options): readonly string[];
  /** Adds a constant under a name of its own. */
  constant(wanted: string, tensor: TfliteTensor): string;
  /** An int32 constant, by default a vector; equal ones share a tensor. */
  ints(values: readonly number[], shape?: Shape): string;
  /** A float32 constant, by default a scalar; equal ones share a tensor. */
  floats(values: readonly number[], shape?: Shape): string;
  reshape(x: string, type: Typed): string;
  /** Says that a tensor has the range of this value. */
  withRangeOf(tensor: string, value: Value): string;
  /** Whether one node alone reads the value, and the program does not return it. */
  hasOneReader(value: Value): boolean;
}

export interface Typed {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** An activation is a part of the layer before it. */
const nameOfLayer = (node: Node): string =>
  isOp(node, 'relu') || isOp(node, 'relu6') ? layerOf(node.inputs[0]!.node) : layerOf(node);

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const typeOf = (dtype: DType): TfliteType => dtype;

export interface Emitted {
  readonly nodes: TfliteNode[];
  readonly tensors: Map<string, TfliteTensor>;
  readonly values: Map<string, Value>;
}

export function createEmission(reading: Reading): Emission & { readonly emitted: Emitted } {
  const nodes: TfliteNode[] = [];
  const tensors = new Map<string, TfliteTensor>();
  const values = new Map<string, Value>();
  const shared = new Map<string, string>();
  const places = new Map<Node, readonly string[]>();
  const permutations = new Map<Value, Map<string, string>>();
  let layer = '';

  const claim = (wanted: string, tensor: TfliteTensor): string => {
    let name = wanted;
    for (let i = 1; tensors.has(name); i++) name = `${wanted}.${i}`;
    tensors.set(name, tensor);
    return name;
  };
  const share = (key: string, tensor: TfliteTensor): string => {
    const name = shared.get(key) ?? claim(`shared_${shared.size}`, tensor);
    shared.set(key, name);
    return name;
  };
  const within = (inner: string, write: () => readonly string[]): readonly string[] => {
    const outer = layer;
    layer = inner;
    try {
      return write();
    } finally {
      layer = outer;
    }
  };
  const known = ({ node, dtype }: Value): Data | undefined => {
    if (isOp(node, 'param')) return reading.valueOf(node.attrs.name).data;
    if (isOp(node, 'constant')) return arrayOf[dtype].from(node.attrs.values);
    return undefined;
  };
  const nameOf = ({ node }: Value): string => (isOp(node, 'param') ? node.attrs.name : `constant_${node.id}`);
  const place = ({ node, index }: Value): string => {
    const written = places.get(node) ?? within(nameOfLayer(node), () => reading.apply(node, emission));
    places.set(node, written);
    written.forEach((name, i) => {
      if (!values.has(name)) values.set(name, node.outputs[i]!);
    });
    return written[index]!;
  };

  const emission: ReturnType<typeof createEmission> = {
    emitted: { nodes, tensors, values },
    known,
    in: place,
    permuted(value, permutation) {
      const own = permutations.get(value) ?? new Map<string, string>();
      permutations.set(value, own);
      const done = own.get(permutation.join());
      if (done !== undefined) return done;
      const shape = permute(value.shape, permutation);
      const data = known(value);
      const name = data
        ? claim(nameOf(value), { type: typeOf(value.dtype), shape, data: transposed(data, value.shape, permutation) })
        : emission.add('TRANSPOSE', [place(value), emission.ints(permutation)], { dtype: value.dtype, shape });
      own.set(permutation.join(), name);
      return name;
    },
    add: (op, inputs, type, options) => emission.addMany(op, inputs, [type], options)[0]!,
    addMany(op, inputs, types, options = {}) {
      const outputs = types.map(({ dtype, shape }) => claim(`${layer}/${op}`, { type: typeOf(dtype), shape }));
      nodes.push({ op, layer, inputs, outputs, options });
      return outputs;
    },
    constant: claim,
    ints: (list, shape = [list.length]) =>
      share(`ints ${shape.join()} ${list.join()}`, { type: 'int32', shape, data: Int32Array.from(list) }),
    floats: (list, shape = []) =>
      share(`floats ${shape.join()} ${list.join()}`, { type: 'float32', shape, data: Float32Array.from(list) }),
    reshape: (x, type) => emission.add('RESHAPE', [x, emission.ints(type.shape)], type, { shape: type.shape }),
    withRangeOf(tensor, value) {
      values.set(tensor, value);
      return tensor;
    },
    hasOneReader: (value) => reading.countReaders(value) === 1,
  };
  return emission;
}
