import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError } from '../../errors.js';
import { alignedBuffer, bfloat16ToFloat32, float16ToFloat32 } from './rawTensor.js';
import type { RawData, RawTensor } from './rawTensor.js';
import { headerLength, parseHeader } from './safetensorsHeader.js';
import type { SafetensorsDType, SafetensorsHeader } from './safetensorsHeader.js';

/** The content of a safetensors file: 8 bytes of header length, a JSON header, the values little-endian without gaps.
 *  https://github.com/huggingface/safetensors#format. Typed arrays read the values as they stand: little-endian hosts
 *  only. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Map<string, RawTensor>;
}

/** Reads metadata, names, types and shapes without the values. Throws E_SAFETENSORS_… with the file. */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { size, file } = source;
  const length = headerLength(await source.read(0, Math.min(8, size)), size, file);
  return parseHeader(await source.read(8, length), size, file);
}

/** Reads the tensors for which `wants` returns true (default: all), one at a time. Throws E_SAFETENSORS_… with the
 *  file. */
export async function decodeSafetensors(
  source: ByteSource,
  wants: (name: string) => boolean = () => true,
): Promise<Safetensors> {
  const header = await readSafetensorsHeader(source);
  const tensors = new Map<string, RawTensor>();
  for (const [name, { dtype, shape, begin, end }] of header.tensors) {
    if (!wants(name)) continue;
    const bytes = await source.read(header.dataStart + begin, end - begin);
    tensors.set(name, { shape, dtype, data: decodeValues(bytes, dtype, name, source.file) });
  }
  return { metadata: header.metadata, tensors };
}

function decodeValues(bytes: Uint8Array, dtype: SafetensorsDType, name: string, file: string): RawData {
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
      const message = `tensor "${name}" is ${dtype}, which cannot be read`;
      const fix = 'convert it to F32, F16, BF16, F64, I32 or I64';
      throw new FinetuneError({ code: 'E_SAFETENSORS_DTYPE', message, fix, where: { file } });
    }
  }
}
