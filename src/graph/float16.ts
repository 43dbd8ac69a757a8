/** Conversion of float32 to IEEE 754's half precision, of which JavaScript has no array before 2025. */

const LARGEST = 65504;
const SMALLEST_NORMAL = 2 ** -14;

/** Whether no value is too large for float16. */
export const fitsFloat16 = (values: Float32Array): boolean => values.every((value) => Math.abs(value) <= LARGEST);

/** The bits of the nearest float16 of each value, ties to even. Values beyond ±65504 become infinite. */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, halfBits);
}

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= LARGEST + 16) return sign | 0x7c00;
  if (size < SMALLEST_NORMAL) return sign | roundEven(size / 2 ** -24);
  const exponent = Math.floor(Math.log2(size));
  // A carry of the fraction goes on to the exponent, as it should.
  return sign | (((exponent + 15) << 10) + roundEven((size / 2 ** exponent - 1) * 1024));
}

/** ties to even */
function roundEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
