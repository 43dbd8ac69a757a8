import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FinetuneError } from '../errors.js';
import { DT, encodeGraphDef, shapeProto, TENSORFLOW_VERSION } from './graphDef.js';
import type { EmittedInference, SignaturePort } from './inference.js';

/** TensorFlow's SavedModel: a GraphDef without variables and the signature `serving_default`. */

export const SAVED_MODEL_FILE = 'saved_model.pb';
/** The tag of models that are made for inference. */
export const SERVE = 'serve';
const SIGNATURE = 'serving_default';
/** Protobuf has no longer messages. */
const MOST_BYTES = 2 ** 31 - 1;

type Write = (writer: BinaryWriter) => unknown;
function message(write: Write): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}
const bytes = (w: BinaryWriter, number: number, content: Uint8Array): BinaryWriter =>
  w.uint32((number << 3) | 2).bytes(content);
const nested = (w: BinaryWriter, number: number, write: Write): BinaryWriter => bytes(w, number, message(write));
const text = (w: BinaryWriter, number: number, value: string): BinaryWriter =>
  w.uint32((number << 3) | 2).string(value);

// Field numbers from tensorflow/core/protobuf/{saved_model,meta_graph}.proto.
const portEntry = (w: BinaryWriter, number: number, { key, node, dtype, shape }: SignaturePort): BinaryWriter =>
  nested(w, number, (entry) =>
    nested(text(entry, 1, key), 2, (info) =>
      bytes(
        text(info, 1, `${node}:0`)
          .uint32(2 << 3)
          .int32(DT[dtype]),
        3,
        shapeProto(shape),
      ),
    ),
  );

/** Writes the bytes of saved_model.pb. Throws E_EXPORT_SIZE for a model of 2 GB or more. */
export function encodeSavedModel({ nodes, inputs, outputs }: EmittedInference): Uint8Array {
  checkSize(nodes);
  const metaGraph = message((w) => {
    nested(w, 1, (info) => text(text(info, 4, SERVE), 5, TENSORFLOW_VERSION));
    bytes(w, 2, encodeGraphDef(nodes));
    nested(w, 5, (entry) =>
      nested(text(entry, 1, SIGNATURE), 2, (signature) => {
        for (const port of inputs) portEntry(signature, 1, port);
        for (const port of outputs) portEntry(signature, 2, port);
        text(signature, 3, 'tensorflow/serving/predict');
      }),
    );
  });
  return message((w) => bytes(w.uint32(1 << 3).int64(1), 2, metaGraph));
}

function checkSize(nodes: EmittedInference['nodes']): void {
  const size = nodes.reduce((sum, { attrs: { value } }) => {
    if (!value || !('tensor' in value)) return sum;
    const { dtype, values } = value.tensor;
    return sum + values.length * (dtype === 'float16' ? 2 : dtype === 'bool' ? 1 : 4);
  }, 0);
  if (size <= MOST_BYTES - 2 ** 24) return;
  throw new FinetuneError({
    code: 'E_EXPORT_SIZE',
    message: `the weights take ${(size / 1e9).toFixed(1)} GB, and a SavedModel without variables holds less than 2 GB`,
    fix: 'export it with --quantize float16, or as tfjs, whose files have no such limit',
  });
}

/** Where a SavedModel takes its inputs and gives its outputs: `node:output` by the name in the signature. */
export interface Signature {
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

/** Reads the signature `serving_default` of the bytes of a saved_model.pb; undefined if it has none. */
export function readSignature(savedModel: Uint8Array): Signature | undefined {
  for (const metaGraph of fieldsOf(savedModel, 2)) {
    for (const entry of fieldsOf(metaGraph, 5)) {
      if (textOf(entry, 1) !== SIGNATURE) continue;
      const [signature] = fieldsOf(entry, 2);
      if (signature) return { inputs: portsOf(signature, 1), outputs: portsOf(signature, 2) };
    }
  }
  return undefined;
}

const portsOf = (signature: Uint8Array, number: number): ReadonlyMap<string, string> =>
  new Map(
    fieldsOf(signature, number).map((entry) => {
      const [info] = fieldsOf(entry, 2);
      return [textOf(entry, 1), info ? textOf(info, 1) : ''];
    }),
  );

const textOf = (content: Uint8Array, number: number): string =>
  new TextDecoder().decode(fieldsOf(content, number)[0] ?? new Uint8Array());

/** The length-delimited fields of a message that have this number. */
function fieldsOf(content: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(content);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === wanted && type === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(type, number);
  }
  return found;
}
