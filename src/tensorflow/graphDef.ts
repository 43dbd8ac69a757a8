import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Shape } from '../graph/spec.js';

/** TensorFlow's DataType numbers. */
export const DT = { float32: 1, int32: 3, bool: 10, float16: 19, resource: 20 } as const;

/** The value of an attribute of a NodeDef. TensorFlow's definition of each op lists its attributes. */
export type Attr =
  | { readonly type: number }
  | { readonly shape: Shape }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor };

/** The value of a constant. Those of float16 are its bits. */
export interface Tensor {
  readonly dtype: keyof typeof arrayOf;
  readonly shape: Shape;
  readonly values: readonly number[] | Float32Array | Uint16Array;
}

/** A node of a GraphDef. */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** `name` or `name:output`; last the control inputs, `^name`. */
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, Attr>>;
}

const message = (write: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
/** Writes a length-delimited field. */
const field = (writer: BinaryWriter, number: number, bytes: Uint8Array): BinaryWriter =>
  writer.uint32((number << 3) | 2).bytes(bytes);
/** Writes a message as a field of another. */
const nested = (writer: BinaryWriter, number: number, write: (writer: BinaryWriter) => void): BinaryWriter =>
  field(writer, number, message(write));
const text = (writer: BinaryWriter, number: number, value: string): BinaryWriter =>
  writer.uint32((number << 3) | 2).string(value);

// Field numbers from tensorflow/core/framework/{tensor_shape,tensor,attr_value,node_def,graph}.proto.
export const shapeProto = (shape: Shape): Uint8Array =>
  message((w) => {
    for (const size of shape) nested(w, 2, (dim) => dim.uint32(8).int64(size));
  });

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, float16: Uint16Array } as const;

/** The bytes of a tensor, row after row, little-endian. */
export function tensorBytes({ dtype, values }: Tensor): Uint8Array {
  const content = values instanceof arrayOf[dtype] ? values : arrayOf[dtype].from(values);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

function attrProto(attr: Attr): Uint8Array {
  return message((w) => {
    if ('string' in attr) text(w, 2, attr.string);
    else if ('int' in attr) w.uint32(3 << 3).int64(attr.int);
    else if ('float' in attr) w.uint32((4 << 3) | 5).float(attr.float);
    else if ('bool' in attr) w.uint32(5 << 3).bool(attr.bool);
    else if ('type' in attr) w.uint32(6 << 3).int32(attr.type);
    else if ('shape' in attr) field(w, 7, shapeProto(attr.shape));
    else if ('ints' in attr) {
      const values = message((list) => attr.ints.forEach((value) => list.int64(value)));
      nested(w, 1, (list) => field(list, 3, values));
    } else if ('strings' in attr) {
      nested(w, 1, (list) => attr.strings.forEach((value) => text(list, 2, value)));
    } else {
      const { dtype, shape } = attr.tensor;
      nested(w, 8, (tensor) => {
        tensor.uint32(8).int32(DT[dtype]);
        field(tensor, 2, shapeProto(shape));
        field(tensor, 4, tensorBytes(attr.tensor));
      });
    }
  });
}

const nodeProto = ({ name, op, inputs, attrs }: NodeDef): Uint8Array =>
  message((w) => {
    text(w, 1, name);
    text(w, 2, op);
    for (const input of inputs) text(w, 3, input);
    for (const [key, value] of Object.entries(attrs))
      nested(w, 5, (entry) => field(text(entry, 1, key), 2, attrProto(value)));
  });

/** The bytes of a GraphDef with these nodes. */
export const encodeGraphDef = (nodes: readonly NodeDef[]): Uint8Array =>
  message((w) => {
    for (const node of nodes) field(w, 1, nodeProto(node));
    nested(w, 4, (versions) => versions.uint32(8).int32(PRODUCER));
  });

/** Writes a GraphDef node by node. */
export interface GraphDef {
  readonly nodes: readonly NodeDef[];
  /** Adds a node and returns its name. Inputs are `name` or `name:output`; control inputs are names. */
  add(
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, Attr>>,
    options?: { name?: string; control?: readonly string[] },
  ): string;
  /** Names the nodes that are added meanwhile after the layer; the others have numbers. */
  within<T>(layer: string, write: () => T): T;
  /** Name of an int32 vector constant. Equal constants share a node. */
  ints(values: readonly number[]): string;
  /** Name of a float32 scalar constant. Equal constants share a node. */
  float(value: number): string;
  /** The bytes of the GraphDef. */
  finish(): Uint8Array;
}

export function createGraphDef(): GraphDef {
  const nodes: NodeDef[] = [];
  const constants = new Map<string, string>();
  const taken = new Map<string, number>();
  let layer = '';
  const nextName = (op: string): string => {
    if (layer === '') return `n${nodes.length}`;
    const wanted = `${layer}/${op}`;
    const count = taken.get(wanted) ?? 0;
    taken.set(wanted, count + 1);
    return count === 0 ? wanted : `${wanted}_${count}`;
  };
  const add: GraphDef['add'] = (op, inputs, attrs, { name = nextName(op), control = [] } = {}) => {
    nodes.push({ name, op, inputs: [...inputs, ...control.map((input) => `^${input}`)], attrs });
    return name;
  };
  const constant = (dtype: 'float32' | 'int32', shape: Shape, values: readonly number[]): string => {
    const key = `${dtype}[${shape.join()}]${values.join()}`;
    const name =
      constants.get(key) ??
      add('Const', [], { dtype: { type: DT[dtype] }, value: { tensor: { dtype, shape, values } } });
    constants.set(key, name);
    return name;
  };
  return {
    nodes,
    add,
    within(name, write) {
      const outer = layer;
      layer = name;
      try {
        return write();
      } finally {
        layer = outer;
      }
    },
    ints: (values) => constant('int32', [values.length], values),
    float: (value) => constant('float32', [], [value]),
    finish: () => encodeGraphDef(nodes),
  };
}

/** The version of TensorFlow whose ops are written. */
export const TENSORFLOW_VERSION = '2.21.0';
/** Its GraphDef version: it selects the default attributes and the semantics of the ops. */
export const PRODUCER = 1882;
