import { alignedBuffer, bfloat16ToFloat32, float16ToFloat32 } from './rawTensor.js';
import type { RawData } from './rawTensor.js';

/** Bytes per value. */
const TYPES = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const;
export type TorchDType = keyof typeof TYPES;

export const bytesPerValue = (dtype: TorchDType): number => TYPES[dtype];

const CLASSES: Readonly<Record<TorchDType, string>> = {
  float32: 'Float',
  float64: 'Double',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
};

/** A type of values in a pickle. */
export interface TorchType {
  /** Undefined for untyped bytes: each tensor on them has a type of its own. */
  readonly dtype: TorchDType | undefined;
}

/** Names of the types in a pickle: storage classes (`torch.FloatStorage`, on any device) and dtypes
 *  (`torch.float32`). */
export const TORCH_STORAGES: ReadonlyMap<string, TorchType> = new Map<string, TorchType>([
  ...(Object.keys(TYPES) as TorchDType[]).flatMap((dtype) => [
    [`torch.${CLASSES[dtype]}Storage`, { dtype }] as const,
    [`torch.cuda.${CLASSES[dtype]}Storage`, { dtype }] as const,
    [`torch.${dtype}`, { dtype }] as const,
  ]),
  ['torch.storage.UntypedStorage', { dtype: undefined }],
]);

/** Decodes little-endian bytes. Floats of every width become float32. */
export function decodeValues(bytes: Uint8Array, dtype: TorchDType): RawData {
  switch (dtype) {
    case 'float32':
      return new Float32Array(alignedBuffer(bytes));
    case 'float64':
      return Float32Array.from(new Float64Array(alignedBuffer(bytes)));
    case 'float16':
      return float16ToFloat32(bytes);
    case 'bfloat16':
      return bfloat16ToFloat32(bytes);
    case 'int64':
      return new BigInt64Array(alignedBuffer(bytes));
    case 'int32':
      return new Int32Array(alignedBuffer(bytes));
    case 'int16':
      return Int32Array.from(new Int16Array(alignedBuffer(bytes)));
    case 'int8':
      return Int32Array.from(new Int8Array(alignedBuffer(bytes)));
    case 'uint8':
    case 'bool':
      return new Uint8Array(alignedBuffer(bytes));
  }
}
