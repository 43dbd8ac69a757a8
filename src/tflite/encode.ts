import { Builder, type Offset } from 'flatbuffers';
import { FinetuneError } from '../errors.js';
import type { Options, TfliteModel, TfliteNode, TflitePort, TfliteTensor } from './model.js';
import { bytes, int32, int8, ints, offset, offsets, table, type Slot } from './flatbuffer.js';
import { operators, TENSOR_TYPE, type Operator } from './operators.js';

/** The version of the schema, and its mark at the start of a file. */
const [SCHEMA_VERSION, IDENTIFIER] = [3, 'TFL3'];
/** Offsets of a flatbuffer are signed 32-bit integers. */
const MOST_BYTES = 2 ** 31 - 1;
/** OperatorCode's first field holds only codes below this one. */
const LONG_CODE = 127;
const CUSTOM = 32;
/** The name under which programs find the inputs and outputs. */
const SIGNATURE = 'serving_default';

// Field numbers from schema.fbs.

const bufferTable = (builder: Builder, data: Uint8Array): Offset => {
  const content = bytes(builder, data);
  return table(builder, 3, [offset(0, content)]);
};

function quantizationTable(builder: Builder, { scales, zero, axis = 0 }: NonNullable<TfliteTensor['levels']>): Offset {
  builder.startVector(4, scales.length, 4);
  for (const scale of [...scales].reverse()) builder.addFloat32(scale);
  const scaleVector = builder.endVector();
  builder.startVector(8, scales.length, 8);
  for (let i = 0; i < scales.length; i++) builder.addInt64(BigInt(zero));
  const zeroVector = builder.endVector();
  return table(builder, 7, [offset(2, scaleVector), offset(3, zeroVector), int32(6, axis)]);
}

function tensorTable(builder: Builder, name: string, { type, shape, levels }: TfliteTensor, buffer: number): Offset {
  const [names, lengths] = [builder.createString(name), ints(builder, shape)];
  const quantization = levels && quantizationTable(builder, levels);
  return table(builder, 11, [
    offset(0, lengths),
    int8(1, TENSOR_TYPE[type]),
    int32(2, buffer),
    offset(3, names),
    ...(quantization === undefined ? [] : [offset(4, quantization)]),
    (b) => {
      b.addFieldInt8(8, 1, 0); // has_rank
    },
  ]);
}

function optionsTable(builder: Builder, { fields }: Operator, options: Options): Offset {
  const slots = Object.entries(options).map(([name, value]): Slot => {
    const [slot, type] = fields[name]!;
    if (type === 'ints') return offset(slot, ints(builder, value as readonly number[]));
    return (b) => {
      if (type === 'float32') b.addFieldFloat32(slot, Number(value), 0);
      else if (type === 'int32')
        b.addFieldInt32(slot, Number(value), NaN); // every number is written
      else b.addFieldInt8(slot, Number(value), 0);
    };
  });
  return table(builder, 8, slots);
}

function operatorTable(builder: Builder, node: TfliteNode, code: number, indexOf: (name: string) => number): Offset {
  const [inputs, outputs] = [node.inputs, node.outputs].map((names) => ints(builder, names.map(indexOf))) as [
    Offset,
    Offset,
  ];
  const wires = [int32(0, code), offset(1, inputs), offset(2, outputs)];
  const { op } = node;
  if (typeof op !== 'string') return table(builder, 14, [...wires, offset(5, bytes(builder, op.options))]);
  const operator: Operator = operators[op];
  if (operator.options === 0) return table(builder, 14, wires);
  const options = optionsTable(builder, operator, node.options);
  return table(builder, 14, [...wires, int8(3, operator.options), offset(4, options)]);
}

/** An operator with a version, which nodes share. */
interface Code {
  readonly key: string;
  readonly code: number;
  readonly version: number;
  readonly custom?: string;
}
function codeOf({ op, inputs, outputs }: TfliteNode, tensors: TfliteModel['tensors']): Code {
  if (typeof op !== 'string') return { key: op.custom, code: CUSTOM, version: 1, custom: op.custom };
  const { code, versions } = operators[op];
  const isInt8 = [...inputs, ...outputs].some((name) => tensors.get(name)?.type === 'int8');
  const version = versions[isInt8 ? 1 : 0];
  return { key: `${op} ${version}`, code, version };
}
function codeTable(builder: Builder, { code, version, custom }: Code): Offset {
  const name = custom === undefined ? undefined : builder.createString(custom);
  return table(builder, 4, [
    int8(0, Math.min(code, LONG_CODE)),
    ...(name === undefined ? [] : [offset(1, name)]),
    int32(2, version),
    int32(3, code),
  ]);
}

function signatureTable(builder: Builder, model: TfliteModel, indexOf: (name: string) => number): Offset {
  const map = (ports: readonly TflitePort[]): Offset =>
    offsets(
      builder,
      ports.map(({ key, tensor }) => {
        const name = builder.createString(key);
        return table(builder, 2, [offset(0, name), int32(1, indexOf(tensor))]);
      }),
    );
  const [inputs, outputs, key] = [map(model.inputs), map(model.outputs), builder.createString(SIGNATURE)];
  return table(builder, 5, [offset(0, inputs), offset(1, outputs), offset(2, key)]);
}

const bytesOf = (data: NonNullable<TfliteTensor['data']>): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Writes the bytes of a .tflite file. Throws E_TFLITE_SIZE for a model of 2 GB or more. */
export function encodeTflite(model: TfliteModel): Uint8Array {
  const { nodes, tensors, metadata = new Map<string, Uint8Array>() } = model;
  const size = [...tensors.values()].reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
  if (size > MOST_BYTES - 2 ** 24) {
    const message = `the weights take ${(size / 1e9).toFixed(1)} GB, and a TFLite file holds less than 2 GB`;
    throw new FinetuneError({ code: 'E_TFLITE_SIZE', message, fix: 'choose a smaller model' });
  }
  const builder = new Builder(size + 2 ** 16);
  const places = new Map([...tensors.keys()].map((name, i) => [name, i]));
  const indexOf = (name: string): number => (name === '' ? -1 : places.get(name)!);

  const buffers = [table(builder, 3, [])]; // the first one is empty: tensors that are computed refer to it
  const place = (data: Uint8Array): number => buffers.push(bufferTable(builder, data)) - 1;
  const named = [...tensors].map(([name, tensor]) =>
    tensorTable(builder, name, tensor, tensor.data ? place(bytesOf(tensor.data)) : 0),
  );
  const notes = [...metadata].map(([name, data]) => {
    const [buffer, key] = [place(data), builder.createString(name)];
    return table(builder, 2, [offset(0, key), int32(1, buffer)]);
  });

  const all = nodes.map((node) => codeOf(node, tensors));
  const codes = new Map(all.map((code) => [code.key, code]));
  const codePlaces = new Map([...codes.keys()].map((key, i) => [key, i]));
  const written = nodes.map((node, i) => operatorTable(builder, node, codePlaces.get(all[i]!.key)!, indexOf));
  const [inputs, outputs] = [model.inputs, model.outputs].map((ports) =>
    ints(
      builder,
      ports.map(({ tensor }) => indexOf(tensor)),
    ),
  ) as [Offset, Offset];
  const [tensorVector, operatorVector, name] = [
    offsets(builder, named),
    offsets(builder, written),
    builder.createString('model'),
  ];
  const subgraph = table(builder, 6, [
    offset(0, tensorVector),
    offset(1, inputs),
    offset(2, outputs),
    offset(3, operatorVector),
    offset(4, name),
  ]);
  const [codeVector, subgraphs, description, bufferVector, noteVector, signatures] = [
    offsets(
      builder,
      [...codes.values()].map((code) => codeTable(builder, code)),
    ),
    offsets(builder, [subgraph]),
    builder.createString('tfjs-finetune'),
    offsets(builder, buffers),
    offsets(builder, notes),
    offsets(builder, [signatureTable(builder, model, indexOf)]),
  ];
  const root = table(builder, 10, [
    int32(0, SCHEMA_VERSION),
    offset(1, codeVector),
    offset(2, subgraphs),
    offset(3, description),
    offset(4, bufferVector),
    offset(6, noteVector),
    offset(7, signatures),
  ]);
  builder.finish(root, IDENTIFIER);
  return builder.asUint8Array();
}
