import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { FinetuneError } from '../errors.js';
import { DATA_TYPE, type Attr, type Initializer, type OnnxModel, type OnnxNode, type Port } from './model.js';

/** ONNX's operator set 17 (2022): the newest that every runtime in use reads. */
export const OPSET = 17;
/** The version of the file format that came with it. */
const IR_VERSION = 8;
/** Protobuf has no longer messages. */
const MOST_BYTES = 2 ** 31 - 1;

type Write = (writer: BinaryWriter) => unknown;
const message = (write: Write): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
const bytes = (w: BinaryWriter, number: number, content: Uint8Array): BinaryWriter =>
  w.uint32((number << 3) | 2).bytes(content);
const nested = (w: BinaryWriter, number: number, write: Write): BinaryWriter => bytes(w, number, message(write));
const text = (w: BinaryWriter, number: number, value: string): BinaryWriter =>
  w.uint32((number << 3) | 2).string(value);
const int = (w: BinaryWriter, number: number, value: number): BinaryWriter => w.uint32(number << 3).int64(value);

// Field numbers from onnx/onnx.proto.
function attribute(w: BinaryWriter, name: string, attr: Attr): void {
  text(w, 1, name);
  if ('float' in attr) int(w.uint32((2 << 3) | 5).float(attr.float), 20, 1);
  else if ('int' in attr) int(int(w, 3, attr.int), 20, 2);
  else if ('string' in attr) int(text(w, 4, attr.string), 20, 3);
  else {
    for (const value of attr.ints) int(w, 8, value);
    int(w, 20, 7);
  }
}

const nodeProto = ({ op, name, inputs, outputs, attrs }: OnnxNode): Uint8Array =>
  message((w) => {
    for (const input of inputs) text(w, 1, input);
    for (const output of outputs) text(w, 2, output);
    text(text(w, 3, name), 4, op);
    for (const [key, attr] of Object.entries(attrs)) {
      nested(w, 5, (inner) => {
        attribute(inner, key, attr);
      });
    }
  });

const tensorProto = ({ name, type, shape, data }: Initializer): Uint8Array =>
  message((w) => {
    for (const length of shape) int(w, 1, length);
    text(int(w, 2, DATA_TYPE[type]), 8, name);
    bytes(w, 9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });

const portProto = ({ name, dtype, shape }: Port): Uint8Array =>
  message((w) =>
    nested(text(w, 1, name), 2, (type) =>
      nested(type, 1, (tensor) => {
        int(tensor, 1, DATA_TYPE[dtype]);
        if (!shape) return;
        nested(tensor, 2, (lengths) => {
          for (const length of shape) nested(lengths, 1, (dimension) => int(dimension, 1, length));
        });
      }),
    ),
  );

/** Writes the bytes of an .onnx file. Throws E_ONNX_SIZE for a model of 2 GB or more. */
export function encodeOnnx({ nodes, initializers, inputs, outputs, metadata = {} }: OnnxModel): Uint8Array {
  const size = initializers.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (size > MOST_BYTES - 2 ** 24) {
    const message = `the weights take ${(size / 1e9).toFixed(1)} GB, and an ONNX file holds less than 2 GB`;
    throw new FinetuneError({ code: 'E_ONNX_SIZE', message, fix: 'choose a smaller model, or use another engine' });
  }
  const graph = message((w) => {
    for (const node of nodes) bytes(w, 1, nodeProto(node));
    text(w, 2, 'model');
    for (const initializer of initializers) bytes(w, 5, tensorProto(initializer));
    for (const input of inputs) bytes(w, 11, portProto(input));
    for (const output of outputs) bytes(w, 12, portProto(output));
  });
  return message((w) => {
    text(int(w, 1, IR_VERSION), 2, 'tfjs-finetune');
    bytes(w, 7, graph);
    nested(w, 8, (opset) => int(opset, 2, OPSET));
    for (const [key, value] of Object.entries(metadata)) nested(w, 14, (entry) => text(text(entry, 1, key), 2, value));
  });
}
