import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FinetuneError } from '../../errors.js';
import { writeAtomically, type WriteOptions } from '../../files/writeAtomically.js';
import { alignedBuffer, bfloat16ToFloat32, countValues, float16ToFloat32 } from './rawTensor.js';
import type { RawData, RawTensor } from './rawTensor.js';
import { headerLength, parseHeader } from './safetensorsHeader.js';
import type { SafetensorsDType, SafetensorsHeader } from './safetensorsHeader.js';

/** The safetensors format: 8 bytes of header length, a JSON header, the values little-endian without gaps.
 *  https://github.com/huggingface/safetensors#format. Typed arrays are used as they are: little-endian hosts only. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Map<string, RawTensor>;
}

export interface SafetensorsOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** `sorted` by name is what the Python library writes for float32. */
  readonly order?: 'sorted' | 'insertion';
}

/** Names, types and shapes without the values. Throws E_SAFETENSORS_… with the file. */
export async function readSafetensorsHeader(file: string): Promise<SafetensorsHeader> {
  return (await readFile(file, () => false)).header;
}

/** As readSafetensorsHeader, and the values are held against the hash that `writeSafetensors` put in.
 *  Throws E_SAFETENSORS_SHA256 where it is absent or another. */
export async function verifySafetensors(file: string): Promise<SafetensorsHeader> {
  const header = await readSafetensorsHeader(file);
  const { sha256, ...metadata } = header.metadata;
  const hash = createHash('sha256').update(JSON.stringify(metadata));
  await pipeline(createReadStream(file, { start: header.dataStart }), hash, { end: false });
  if (hash.digest('hex') === sha256) return header;
  const message = sha256 ? 'its bytes are not those that were written' : 'it holds no hash of its bytes';
  throw new FinetuneError({ code: 'E_SAFETENSORS_SHA256', message, where: { file } });
}

/** The tensors for which `wants` says yes (all by default), read one at a time. Throws E_SAFETENSORS_… with the file. */
export async function readSafetensors(file: string, wants: (name: string) => boolean = () => true) {
  const { header, tensors } = await readFile(file, wants);
  return { metadata: header.metadata, tensors } satisfies Safetensors;
}

async function readFile(file: string, wants: (name: string) => boolean) {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const readBytes = async (position: number, length: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break; // the file shrank while being read
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    };
    const length = headerLength(await readBytes(0, Math.min(8, size)), size, file);
    const header = parseHeader(await readBytes(8, length), size, file);
    const tensors = new Map<string, RawTensor>();
    for (const [name, { dtype, shape, begin, end }] of header.tensors) {
      if (!wants(name)) continue;
      const bytes = await readBytes(header.dataStart + begin, end - begin);
      tensors.set(name, { shape, dtype, data: decode(bytes, dtype, name, file) });
    }
    return { header, tensors };
  } finally {
    await handle.close();
  }
}

/** The same from bytes in memory; `file` names them in errors. */
export function decodeSafetensors(bytes: Uint8Array, file = 'safetensors'): Safetensors {
  const length = headerLength(bytes.subarray(0, 8), bytes.byteLength, file);
  const header = parseHeader(bytes.subarray(8, 8 + length), bytes.byteLength, file);
  const tensors = new Map<string, RawTensor>();
  for (const [name, { dtype, shape, begin, end }] of header.tensors) {
    const slice = bytes.subarray(header.dataStart + begin, header.dataStart + end);
    tensors.set(name, { shape, dtype, data: decode(slice, dtype, name, file) });
  }
  return { metadata: header.metadata, tensors };
}

function decode(bytes: Uint8Array, dtype: SafetensorsDType, name: string, file: string): RawData {
  switch (dtype) {
    case 'F32':
      return new Float32Array(alignedBuffer(bytes));
    case 'F16':
      return float16ToFloat32(bytes);
    case 'BF16':
      return bfloat16ToFloat32(bytes);
    case 'F64':
      return Float32Array.from(new Float64Array(alignedBuffer(bytes)));
    case 'I32':
      return new Int32Array(alignedBuffer(bytes));
    case 'I64':
      return new BigInt64Array(alignedBuffer(bytes));
    case 'U8':
    case 'BOOL':
      return new Uint8Array(alignedBuffer(bytes));
    default: {
      const message = `tensor "${name}" is ${dtype}, which is not read`;
      const fix = 'convert it to F32, F16, BF16, F64, I32 or I64';
      throw new FinetuneError({ code: 'E_SAFETENSORS_DTYPE', message, fix, where: { file } });
    }
  }
}

/** A tensor to write: float32, int32 or int64 by its array. */
export interface Writable {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

/** One file in memory. Throws E_SAFETENSORS_SIZE, E_SAFETENSORS_NAME. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Writable>,
  options: SafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const parts = encodeParts(tensors, options);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** The same to a file, atomically, with a hash over metadata and values among the metadata. */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, Writable>,
  { metadata = {}, order = 'sorted', ...writing }: SafetensorsOptions & WriteOptions = {},
): Promise<void> {
  const [, ...values] = encodeParts(tensors, { order });
  const hash = createHash('sha256').update(JSON.stringify(metadata));
  for (const part of values) hash.update(part);
  const hashed = { ...metadata, sha256: hash.digest('hex') };
  await writeAtomically(file, encodeParts(tensors, { metadata: hashed, order }), writing);
}

function encodeParts(
  tensors: ReadonlyMap<string, Writable>,
  { metadata, order = 'sorted' }: SafetensorsOptions,
): Uint8Array[] {
  const entries = [...tensors];
  if (order === 'sorted') entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  // Built as text: an object would move names like "0" to the front.
  const fields = metadata && Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let end = 0;
  for (const [name, { shape, data }] of entries) {
    if (name === '__metadata__') {
      throw new FinetuneError({ code: 'E_SAFETENSORS_NAME', message: '"__metadata__" cannot name a tensor' });
    }
    if (countValues(shape) !== data.length) {
      const message = `tensor "${name}": shape [${shape.join(', ')}] for ${data.length} values`;
      throw new FinetuneError({ code: 'E_SAFETENSORS_SIZE', message });
    }
    const dtype = data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : 'I64';
    const offsets = [end, (end += data.byteLength)];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = new Uint8Array(8 + Math.ceil(json.byteLength / 8) * 8).fill(0x20); // spaces, so that data is aligned
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.byteLength - 8), true);
  padded.set(json, 8);
  return [padded, ...entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}
