import { isOp } from '../graph/builder.js';
import type { Param } from '../graph/params.js';
import { isIdentity, isReshape, permute, transposed } from '../graph/permutation.js';
import { layerOf } from '../graph/reading.js';
import type { Node, Op, Shape, Value } from '../graph/spec.js';
import { IMAGE_RANK, permutationTo, type Order } from './layout.js';
import type { Initializer } from './model.js';
import { createWriter, type Writer } from './writer.js';

/** What the rules that write ONNX's nodes share. */

/** Where a value is in the model: its name there, and the order of its axes. */
export interface Place {
  readonly name: string;
  readonly order: Order;
}

/** Adds ONNX's nodes for a node of the graph and returns the places of its outputs. */
export type Rule<K extends Op> = (node: Node<K>, at: Emission) => readonly Place[];

/** The program that is written. */
export interface Reading {
  readonly valueOf: (parameter: string) => Param;
  /** Number of nodes that read the value, and of names under which the program returns it. */
  readonly countReaders: (value: Value) => number;
  /** Whether the readers of the value want its channels first. */
  readonly wantsFirst: (value: Value) => boolean;
  /** Applies the rule of a node. */
  readonly apply: (node: Node, at: Emission) => readonly Place[];
}

/** Writes a program node by node. A node of the graph is written when its value is first asked for, so that a rule which
 *  stands for several nodes just does not ask for the values between them. */
export interface Emission extends Writer {
  /** Where the value is, in the order in which its rule left it. */
  place(value: Value): Place;
  /** Name of the value in the given order. */
  in(order: Order, value: Value): string;
  last(value: Value): string;
  first(value: Value): string;
  /** Name of the value with its axes permuted: a constant is permuted at once, another value by a node. */
  permuted(value: Value, permutation: readonly number[]): string;
  /** Name of the value such that it broadcasts with values of the given rank and order. */
  aligned(value: Value, rank: number, order: Order): string;
  /** The order in which to write a node that could be written in both: the one in which its inputs are. */
  orderFor(node: Node): Order;
  wantsFirst(value: Value): boolean;
  /** Whether one node alone reads the value, and the program does not return it. */
  hasOneReader(value: Value): boolean;
}

type Data = Float32Array | Int32Array | Uint8Array;
const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const isKnown = ({ node }: Value): boolean => isOp(node, 'param') || isOp(node, 'constant');

export function createEmission(reading: Reading): Emission & { readonly initializers: readonly Initializer[] } {
  const writer = createWriter();
  const places = new Map<Node, readonly Place[]>();
  const made = new Map<Value, Map<string, string>>();
  /** The name that was made for this value and purpose before, or a new one. */
  const once = (value: Value, purpose: string, make: () => string): string => {
    const own = made.get(value) ?? new Map<string, string>();
    made.set(value, own);
    const name = own.get(purpose) ?? make();
    own.set(purpose, name);
    return name;
  };

  const dataOf = ({ node, dtype }: Value): Data | undefined => {
    if (isOp(node, 'param')) return reading.valueOf(node.attrs.name).data;
    if (isOp(node, 'constant')) return arrayOf[dtype].from(node.attrs.values);
    return undefined;
  };
  const initialize = ({ node, dtype }: Value, data: Data, shape: Shape): string => {
    const name = isOp(node, 'param') ? node.attrs.name : `constant_${node.id}`;
    return writer.initialize(name, { type: dtype, shape, data });
  };

  const place = ({ node, index }: Value): Place => {
    const known = places.get(node) ?? writer.within(layerOf(node), () => reading.apply(node, emission));
    places.set(node, known);
    return known[index]!;
  };
  const permuted = (value: Value, permutation: readonly number[]): string =>
    once(value, permutation.join(), () => {
      const shape = permute(value.shape, permutation);
      const data = dataOf(value);
      if (data) return initialize(value, transposed(data, value.shape, permutation), shape);
      const { name, order } = place(value);
      const now = permutationTo(order, value.shape.length);
      const change = permutation.map((axis) => now.indexOf(axis));
      if (isIdentity(change)) return name;
      if (isReshape(permute(value.shape, now), change)) return writer.add('Reshape', [name, writer.ints(shape)]);
      return writer.add('Transpose', [name], { perm: { ints: change } });
    });
  const inOrder = (order: Order, value: Value): string => permuted(value, permutationTo(order, value.shape.length));

  const emission: ReturnType<typeof createEmission> = {
    ...writer,
    place,
    permuted,
    in: inOrder,
    last: (value) => inOrder('last', value),
    first: (value) => inOrder('first', value),
    aligned(value, rank, order) {
      if (order === 'last' || value.shape.length === 0) return inOrder('last', value);
      if (value.shape.length === rank) return inOrder('first', value);
      return once(value, `aligned ${rank}`, () => {
        const full = [...Array<number>(rank - value.shape.length).fill(1), ...value.shape];
        const permutation = permutationTo('first', rank);
        const shape = permute(full, permutation);
        const data = dataOf(value);
        if (data) return initialize(value, transposed(data, full, permutation), shape);
        const given = inOrder('last', value);
        if (isReshape(full, permutation)) return writer.add('Reshape', [given, writer.ints(shape)]);
        return writer.add('Transpose', [writer.add('Reshape', [given, writer.ints(full)])], {
          perm: { ints: permutation },
        });
      });
    },
    orderFor({ inputs, outputs: [y] }) {
      const rank = y!.shape.length;
      if (rank < IMAGE_RANK) return 'last';
      const isFirst = (value: Value): boolean =>
        value.shape.length === rank && !isKnown(value) && place(value).order === 'first';
      return reading.wantsFirst(y!) || inputs.some(isFirst) ? 'first' : 'last';
    },
    wantsFirst: (value) => value.shape.length >= IMAGE_RANK && reading.wantsFirst(value),
    hasOneReader: (value) => reading.countReaders(value) === 1,
  };
  return emission;
}
