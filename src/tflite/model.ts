import type { Shape, Value } from '../graph/spec.js';
import type { OperatorName, TfliteType } from './operators.js';

/** A TFLite model as plain data, which encode.ts turns into bytes. It has one subgraph. */

/** How integers stand for real numbers: scale · (level − zero), with one scale for all, or one for each index along `axis`. */
export interface Levels {
  readonly scales: readonly number[] | Float32Array;
  readonly zero: number;
  readonly axis?: number;
}

export interface TfliteTensor {
  readonly type: TfliteType;
  readonly shape: Shape;
  /** The values of a constant. Those of float16 are their bits. */
  readonly data?: Float32Array | Int32Array | Uint8Array | Int8Array | Uint16Array;
  readonly levels?: Levels;
}

type Option = number | boolean | readonly number[];
export type Options = Readonly<Record<string, Option>>;

export interface TfliteNode {
  readonly op: OperatorName | CustomOp;
  /** The layer that the node belongs to. */
  readonly layer: string;
  /** Names of tensors; '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly options: Options;
}

/** An operator that is not in the schema, with its options as a FlexBuffer. */
export interface CustomOp {
  readonly custom: string;
  readonly options: Uint8Array;
}

/** An input or output of the model: the name that programs ask for, and the tensor. */
export interface TflitePort {
  readonly key: string;
  readonly tensor: string;
}

export interface TfliteModel {
  /** In topological order. */
  readonly nodes: readonly TfliteNode[];
  readonly tensors: ReadonlyMap<string, TfliteTensor>;
  readonly inputs: readonly TflitePort[];
  readonly outputs: readonly TflitePort[];
  /** The value of the graph that a tensor holds, or whose range it has, of those for which there is one. */
  readonly values: ReadonlyMap<string, Value>;
  /** Named blobs that readers of the file look for. */
  readonly metadata?: ReadonlyMap<string, Uint8Array>;
}

/** The nodes and tensors that the outputs depend on, and the inputs. */
export function withoutUnused(model: TfliteModel): TfliteModel {
  const used = new Set([...model.outputs, ...model.inputs].map(({ tensor }) => tensor));
  const live = [...model.nodes].reverse().filter((node) => {
    const isUsed = node.outputs.some((name) => used.has(name));
    if (isUsed) for (const name of [...node.inputs, ...node.outputs]) used.add(name);
    return isUsed;
  });
  const tensors = new Map([...model.tensors].filter(([name]) => used.has(name)));
  return { ...model, nodes: live.reverse(), tensors };
}
