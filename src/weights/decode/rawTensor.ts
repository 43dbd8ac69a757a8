/** An array as a file holds it: row-major, in that file's own layout. `dtype` is what the file calls it. */
export interface RawTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Float types are converted to float32; 64-bit integers stay exact. */
  readonly data: RawData;
}

export type RawData = Float32Array | Int32Array | BigInt64Array | Uint8Array | readonly string[];

/** Number of values; 1 for a scalar. */
export const countValues = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Converts IEEE 754 binary16, little-endian, to float32. The conversion is exact. */
export function float16ToFloat32(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, i) => {
    const half = view.getUint16(2 * i, true);
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** Converts bfloat16, little-endian, to float32, of which it is the upper half. */
export function bfloat16ToFloat32(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = Uint32Array.from({ length: bytes.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true) << 16);
  return new Float32Array(bits.buffer);
}

/** Copies bytes to the start of a new buffer, where typed arrays of any width can read them. */
export const alignedBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
