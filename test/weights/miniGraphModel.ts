import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const attrs = (dtype: string) => ({ dtype: { type: dtype } });

/** y = relu6(x · w + b) with constants of every kind that tfjs-converter writes, quantised ones too. */
const miniWeights = [
  { name: 'w', shape: [2, 3], dtype: 'float32', bytes: bytesOf(Float32Array.of(1, -2, 3, 0.5, 0.25, 1 / 3)) },
  {
    name: 'b',
    shape: [3],
    dtype: 'float32',
    quantization: { dtype: 'uint8', min: -1, scale: 0.01 },
    bytes: Uint8Array.of(0, 100, 255),
  },
  { name: 'flag', shape: [], dtype: 'bool', bytes: Uint8Array.of(1) },
  { name: 'text', shape: [2], dtype: 'string', bytes: Uint8Array.of(2, 0, 0, 0, 0xc3, 0xbc, 0, 0, 0, 0) },
  {
    name: 'q16',
    shape: [2],
    dtype: 'float32',
    quantization: { dtype: 'uint16', min: 0.5, scale: 0.001 },
    bytes: bytesOf(Uint16Array.of(0, 65535)),
  },
  {
    name: 'half',
    shape: [3],
    dtype: 'float32',
    quantization: { dtype: 'float16' },
    bytes: bytesOf(Uint16Array.of(0x3c00, 0xc100, 0x0001)),
  },
  { name: 'n', shape: [2], dtype: 'int32', bytes: bytesOf(Int32Array.of(-1, 7)) },
  {
    name: 'nq',
    shape: [2],
    dtype: 'int32',
    quantization: { dtype: 'uint8', min: 0, scale: 0.5 },
    bytes: Uint8Array.of(4, 5),
  },
  { name: 'none', shape: [0, 2], dtype: 'float32', bytes: new Uint8Array() },
];

const node = [
  {
    name: 'x',
    op: 'Placeholder',
    attr: { ...attrs('DT_FLOAT'), shape: { shape: { dim: [{ size: '-1' }, { size: '2' }] } } },
  },
  { name: 'w', op: 'Const', attr: attrs('DT_FLOAT') },
  { name: 'b', op: 'Const', attr: attrs('DT_FLOAT') },
  { name: 'xw', op: 'MatMul', input: ['x', 'w'], attr: { transpose_a: { b: false }, transpose_b: { b: false } } },
  { name: 'xwb', op: 'BiasAdd', input: ['xw', 'b'] },
  { name: 'y', op: 'Relu6', input: ['xwb'] },
];

export const miniData = Buffer.concat(miniWeights.map(({ bytes }) => bytes));
export const miniSpecs = miniWeights.map((weight) => ({ ...weight, bytes: undefined }));

/** Writes the model into a new folder, its data cut in two inside a tensor; `changes` replaces or leaves out files.
 *  Returns the path of model.json. */
export async function writeMiniModel(changes: Record<string, string | Uint8Array | null> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'graph-model-'));
  const json = {
    format: 'graph-model',
    modelTopology: { node, versions: { producer: 1 } },
    weightsManifest: [{ paths: ['group1-shard1of2.bin', 'group1-shard2of2.bin'], weights: miniSpecs }],
  };
  const files: Record<string, string | Uint8Array | null> = {
    'model.json': JSON.stringify(json),
    'group1-shard1of2.bin': miniData.subarray(0, 10),
    'group1-shard2of2.bin': miniData.subarray(10),
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content !== null) await writeFile(join(dir, name), content);
  }
  return join(dir, 'model.json');
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
