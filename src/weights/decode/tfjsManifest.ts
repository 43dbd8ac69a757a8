import { z } from 'zod';
import { FinetuneError, type Problem } from '../../errors.js';
import { alignedBuffer, countValues, float16ToFloat32 } from './rawTensor.js';
import type { RawData, RawTensor } from './rawTensor.js';

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool', 'string']),
  quantization: z
    .object({ dtype: z.enum(['uint8', 'uint16', 'float16']), min: z.number().default(0), scale: z.number().default(1) })
    .optional(),
});
type WeightSpec = z.infer<typeof weightSchema>;

/** What model.json says about its binary files: groups of shards, and the arrays that each group holds one after the
 *  other. https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts */
export const manifestSchema = z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) }));
type Manifest = z.infer<typeof manifestSchema>;

/** Returns a shard by the path that model.json has for it: its bytes, or the problem with it. */
export type ReadShard = (path: string) => Promise<Uint8Array | Problem>;

/** Lists the shards that the text of a model.json names, relative to it; none for other JSON. */
export function listShards(text: string): string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = z.object({ weightsManifest: manifestSchema }).safeParse(json);
  return parsed.success ? parsed.data.weightsManifest.flatMap((group) => group.paths) : [];
}

/** Reads the arrays of all groups by name, in the manifest's order, dequantised. `file` is model.json, for messages.
 *  Throws E_TFJS_SHARD, all faults at once. */
export async function readManifest(
  manifest: Manifest,
  file: string,
  readShard: ReadShard,
): Promise<Map<string, RawTensor>> {
  const tensors = new Map<string, RawTensor>();
  const problems: Problem[] = [];
  for (const { paths, weights } of manifest) {
    const shards = await Promise.all(paths.map(readShard));
    problems.push(...shards.filter((shard) => 'code' in shard));
    const parts = shards.filter((shard) => shard instanceof Uint8Array);
    if (parts.length < shards.length) continue;
    const fault = readWeights(concat(parts), weights, tensors);
    if (fault) {
      const sizes = paths.map((path, i) => `${path} has ${parts[i]!.byteLength} bytes`).join(', ');
      const fix = 'a shard is cut short or belongs to another model: fetch the model again';
      problems.push({ code: 'E_TFJS_SHARD', message: `${fault} (${sizes})`, where: { file }, fix });
    }
  }
  if (problems.length > 0) throw new FinetuneError(problems);
  return tensors;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** Cuts one group's bytes into tensors. Returns what does not fit, if something does not. */
function readWeights(bytes: Uint8Array, weights: readonly WeightSpec[], tensors: Map<string, RawTensor>) {
  let offset = 0;
  for (const spec of weights) {
    const count = countValues(spec.shape);
    const length = spec.dtype === 'string' ? stringBytes(bytes, offset, count) : count * bytesPerValue(spec);
    if (offset + length > bytes.byteLength) {
      return `"${spec.name}" should end at byte ${offset + length}, but its group of shards has ${bytes.byteLength} bytes`;
    }
    const slice = bytes.subarray(offset, offset + length);
    tensors.set(spec.name, { shape: spec.shape, dtype: spec.dtype, data: decode(slice, spec, count) });
    offset += length;
  }
  return offset === bytes.byteLength ? undefined : `${bytes.byteLength - offset} bytes are left over`;
}

function bytesPerValue({ dtype, quantization }: WeightSpec): number {
  if (quantization) return quantization.dtype === 'uint8' ? 1 : 2;
  return dtype === 'bool' ? 1 : 4;
}

function decode(bytes: Uint8Array, { dtype, quantization }: WeightSpec, count: number): RawData {
  if (dtype === 'string') return readStrings(bytes, count);
  if (quantization?.dtype === 'float16') return float16ToFloat32(bytes);
  if (quantization) {
    const { min, scale } = quantization;
    const codes = quantization.dtype === 'uint8' ? bytes : new Uint16Array(alignedBuffer(bytes));
    if (dtype === 'int32') return Int32Array.from(codes, (code) => Math.round(code * scale + min));
    return Float32Array.from(codes, (code) => code * scale + min);
  }
  if (dtype === 'bool') return Uint8Array.from(bytes);
  return dtype === 'int32' ? new Int32Array(alignedBuffer(bytes)) : new Float32Array(alignedBuffer(bytes));
}

/** Number of bytes that `count` strings take: each one follows its length, which takes 4 bytes. */
function stringBytes(bytes: Uint8Array, offset: number, count: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = offset;
  for (let i = 0; i < count; i++) {
    if (end + 4 > bytes.byteLength) return end + 4 - offset;
    end += 4 + view.getUint32(end, true);
  }
  return end - offset;
}

function readStrings(bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  return Array.from({ length: count }, () => {
    const length = view.getUint32(offset, true);
    const text = new TextDecoder().decode(bytes.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
    return text;
  });
}
