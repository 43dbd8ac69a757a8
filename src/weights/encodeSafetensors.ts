import { FinetuneError } from '../errors.js';
import { countValues } from './decode/rawTensor.js';

/** A tensor to write; its array says whether it is float32, int32 or int64. */
export interface Writable {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

export interface SafetensorsOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Order of the tensors in the file. The Python library sorts float32 tensors by name. Default: sorted. */
  readonly order?: 'sorted' | 'insertion';
}

/** Encodes tensors as the bytes of one safetensors file. Throws E_SAFETENSORS_SIZE, E_SAFETENSORS_NAME. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Writable>,
  options: SafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const parts = encodeSafetensorsParts(tensors, options);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** The same in parts that need no copy: the header, then the values of each tensor. */
export function encodeSafetensorsParts(
  tensors: ReadonlyMap<string, Writable>,
  { metadata, order = 'sorted' }: SafetensorsOptions,
): Uint8Array[] {
  const entries = [...tensors];
  if (order === 'sorted') entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  // The JSON is joined as text: an object would move names like "0" to the front.
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
  const padded = new Uint8Array(8 + Math.ceil(json.byteLength / 8) * 8).fill(0x20); // spaces align the data to 8 bytes
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.byteLength - 8), true);
  padded.set(json, 8);
  return [padded, ...entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}
