import type { Shape } from '../../graph/spec.js';
import { DT, PRODUCER, tensorBytes, type Attr, type NodeDef, type Tensor } from '../graphDef.js';
import type { EmittedInference, SignaturePort } from '../inference.js';
import { fuse } from './fuse.js';
import { quantizeWeight, type WeightType } from './quantizeWeights.js';

/** A graph model of TensorFlow.js: the GraphDef as JSON without its constants, and their values in files of 4 MB. */

export const GRAPH_MODEL_FILE = 'model.json';
/** Files of 4 MB, which browsers keep in their cache. */
const SHARD_BYTES = 4 * 2 ** 20;
const FORMAT = 'graph-model';

/** A constant in the weights files, in the terms of TensorFlow.js. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly quantization?: {
    readonly dtype: 'float16' | 'uint8';
    readonly min?: number;
    readonly scale?: number;
    readonly original_dtype: 'float32';
  };
}

/** What model.json holds. */
export interface GraphModelJson {
  readonly format: string;
  readonly generatedBy: string;
  readonly convertedBy: null;
  readonly signature: unknown;
  readonly userDefinedMetadata: { readonly structuredOutputKeys: readonly string[] };
  readonly modelTopology: { readonly node: readonly { readonly op: string }[]; readonly versions: unknown };
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly WeightSpec[] }[];
}

export interface GraphModelFiles {
  readonly json: GraphModelJson;
  /** The weights files by name. */
  readonly shards: ReadonlyMap<string, Uint8Array>;
}

/** Whether the model must be run with `executeAsync`: non-maximum suppression returns as many rows as it keeps, and Merge is
 *  an op of control flow. */
export const needsAsync = (nodes: readonly { readonly op: string }[]): boolean =>
  nodes.some(({ op }) => op === 'Merge' || op.startsWith('NonMaxSuppression'));

/** Writes a graph model. `typeOf` chooses how the values of a parameter are stored; other constants stay as they are. */
export function encodeGraphModel(
  { nodes, inputs, outputs }: EmittedInference,
  typeOf: (parameter: string, tensor: Tensor) => WeightType,
): GraphModelFiles {
  const fused = fuse(nodes, new Set(outputs.map(({ node }) => node)));
  const constants = fused.flatMap(({ name, attrs: { value } }) =>
    value && 'tensor' in value ? [{ name, ...value }] : [],
  );
  const weights = constants.map(({ name, tensor }) => ({ name, ...encodeWeight(tensor, typeOf(name, tensor)) }));
  const shards = cutShards(weights.map(({ bytes }) => bytes));
  const paths = shards.map((_, i) => `group1-shard${i + 1}of${shards.length}.bin`);
  return {
    json: {
      format: FORMAT,
      generatedBy: 'tfjs-finetune',
      convertedBy: null,
      signature: {
        inputs: Object.fromEntries(inputs.map((port) => [port.key, portJson(port)])),
        outputs: Object.fromEntries(outputs.map((port) => [port.key, portJson(port)])),
      },
      userDefinedMetadata: { structuredOutputKeys: outputs.map(({ key }) => key) },
      modelTopology: {
        node: fused.map(nodeJson),
        versions: { producer: PRODUCER, minConsumer: 0 },
      },
      weightsManifest: [{ paths, weights: weights.map(({ name, spec }) => ({ name, ...spec })) }],
    },
    shards: new Map(paths.map((path, i) => [path, shards[i]!])),
  };
}

function encodeWeight(
  tensor: Tensor,
  type: WeightType,
): { readonly spec: Omit<WeightSpec, 'name'>; readonly bytes: Uint8Array } {
  const { shape, values } = tensor;
  const dtype = tensor.dtype as WeightSpec['dtype'];
  if (dtype !== 'float32' || type === 'float32') return { spec: { shape, dtype }, bytes: tensorBytes(tensor) };
  const { bytes, ...quantization } = quantizeWeight(Float32Array.from(values), type);
  return { spec: { shape, dtype, quantization: { ...quantization, original_dtype: 'float32' } }, bytes };
}

/** Joins the weights, and cuts them into shards. */
function cutShards(weights: readonly Uint8Array[]): Uint8Array[] {
  const all = new Uint8Array(weights.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const one of weights) {
    all.set(one, offset);
    offset += one.length;
  }
  const count = Math.max(1, Math.ceil(all.length / SHARD_BYTES));
  return Array.from({ length: count }, (_, i) => all.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
}

// The JSON form of protobuf: enums by name, int64 as text, bytes in base64.
const TYPE_NAMES: Readonly<Record<number, string>> = {
  [DT.float32]: 'DT_FLOAT',
  [DT.int32]: 'DT_INT32',
  [DT.bool]: 'DT_BOOL',
};
const shapeJson = (shape: Shape) => ({ dim: shape.map((size) => ({ size: String(size) })) });
const base64 = (text: string): string => btoa(text);

const portJson = ({ node, dtype, shape }: SignaturePort) => ({
  name: `${node}:0`,
  dtype: TYPE_NAMES[DT[dtype]],
  tensorShape: shapeJson(shape),
});

function nodeJson({ name, op, inputs, attrs }: NodeDef) {
  const entries = Object.entries(attrs).filter(([key]) => !key.startsWith('_')); // marks for TensorFlow's optimizer
  return {
    name,
    op,
    ...(inputs.length > 0 && { input: inputs }),
    attr: Object.fromEntries(entries.map(([key, attr]) => [key, attrJson(attr)])),
  };
}

function attrJson(attr: Attr): object {
  if ('string' in attr) return { s: base64(attr.string) };
  if ('int' in attr) return { i: String(attr.int) };
  if ('float' in attr) return { f: attr.float };
  if ('bool' in attr) return { b: attr.bool };
  if ('type' in attr) return { type: TYPE_NAMES[attr.type] };
  if ('shape' in attr) return { shape: shapeJson(attr.shape) };
  if ('ints' in attr) return { list: { i: attr.ints.map(String) } };
  if ('strings' in attr) return { list: { s: attr.strings.map(base64) } };
  const { dtype, shape } = attr.tensor;
  return { tensor: { dtype: TYPE_NAMES[DT[dtype]], tensorShape: shapeJson(shape) } };
}
