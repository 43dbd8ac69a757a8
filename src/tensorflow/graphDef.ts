import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Shape } from '../graph/spec.js';

/** TensorFlow's DataType numbers. */
export const DT = { float32: 1, int32: 3, bool: 10, resource: 20 } as const;

/** The value of an attribute of a NodeDef. TensorFlow's definition of each op lists its attributes. */
export type Attr =
  | { readonly type: number }
  | { readonly shape: Shape }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | {
      readonly tensor: {
        readonly dtype: 'float32' | 'int32' | 'bool';
        readonly shape: Shape;
        readonly values: readonly number[] | Float32Array;
      };
    };

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
const shapeProto = (shape: Shape): Uint8Array =>
  message((w) => {
    for (const size of shape) nested(w, 2, (dim) => dim.uint32(8).int64(size));
  });

const rawBytes = {
  float32: (values: readonly number[] | Float32Array) => new Float32Array(values),
  int32: (values: readonly number[] | Float32Array) => Int32Array.from(values),
  bool: (values: readonly number[] | Float32Array) => Uint8Array.from(values),
} as const;

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
    } else {
      const { dtype, shape, values } = attr.tensor;
      const content = rawBytes[dtype](values);
      nested(w, 8, (tensor) => {
        tensor.uint32(8).int32(DT[dtype]);
        field(tensor, 2, shapeProto(shape));
        field(tensor, 4, new Uint8Array(content.buffer));
      });
    }
  });
}

/** Writes a GraphDef node by node. */
export interface GraphDef {
  /** Adds a node and returns its name. Inputs are `name` or `name:output`; control inputs are names. */
  add(
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, Attr>>,
    options?: { name?: string; control?: readonly string[] },
  ): string;
  /** Name of an int32 vector constant. Equal constants share a node. */
  ints(values: readonly number[]): string;
  /** Name of a float32 scalar constant. Equal constants share a node. */
  float(value: number): string;
  /** The bytes of the GraphDef. */
  finish(): Uint8Array;
}

export function createGraphDef(): GraphDef {
  const nodes: Uint8Array[] = [];
  const constants = new Map<string, string>();
  const add: GraphDef['add'] = (op, inputs, attrs, { name = `n${nodes.length}`, control = [] } = {}) => {
    const node = message((w) => {
      text(w, 1, name);
      text(w, 2, op);
      for (const input of inputs) text(w, 3, input);
      for (const input of control) text(w, 3, `^${input}`);
      for (const [key, value] of Object.entries(attrs))
        nested(w, 5, (entry) => field(text(entry, 1, key), 2, attrProto(value)));
    });
    nodes.push(node);
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
    add,
    ints: (values) => constant('int32', [values.length], values),
    float: (value) => constant('float32', [], [value]),
    finish: () =>
      message((w) => {
        for (const node of nodes) field(w, 1, node);
        nested(w, 4, (versions) => versions.uint32(8).int32(PRODUCER));
      }),
  };
}

/** GraphDef version of TensorFlow 2.21: it selects the default attributes and the semantics of the ops. */
const PRODUCER = 1882;
