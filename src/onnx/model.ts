import type { DType, Shape } from '../graph/spec.js';

/** An ONNX model as plain data: what the rules write, the quantiser rewrites and encode.ts turns into bytes. */

/** Numbers of ONNX's TensorProto.DataType. */
export const DATA_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
/** The values of float16 are its bits. */
export type OnnxType = keyof typeof DATA_TYPE;

export type Attr =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly string: string };
export type Attrs = Readonly<Record<string, Attr>>;

export interface OnnxNode {
  readonly op: string;
  /** The layer that the node belongs to, or the op and a number; no two nodes share a name. */
  readonly name: string;
  /** Names of values; '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: Attrs;
}

/** A constant of the model. */
export interface Initializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array | Int8Array | Uint16Array;
}

/** An input or output of the model. */
export interface Port {
  /** The name in our program. */
  readonly key: string;
  /** The name in the model: the same, except for an output that is called like an input. */
  readonly name: string;
  readonly dtype: DType;
  /** Undefined for a value inside the net, whose shape the runtime infers. */
  readonly shape: Shape | undefined;
}

export interface OnnxModel {
  /** In topological order. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Texts by name for the program that reads the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The nodes and initializers that the outputs depend on. */
export function withoutUnused({ nodes, initializers, inputs, outputs }: OnnxModel): OnnxModel {
  const used = new Set(outputs.map(({ name }) => name));
  const live = [...nodes].reverse().filter((node) => {
    const isUsed = node.outputs.some((name) => used.has(name));
    if (isUsed) for (const name of node.inputs) used.add(name);
    return isUsed;
  });
  return {
    nodes: live.reverse(),
    initializers: initializers.filter(({ name }) => used.has(name)),
    inputs,
    outputs,
  };
}
