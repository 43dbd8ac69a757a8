import { fitsFloat16, toFloat16 } from '../../graph/float16.js';

/** How weights are stored: TensorFlow.js converts them back to float32 when it loads the model. */
export type WeightType = 'float32' | 'float16' | 'uint8';

export interface QuantizedWeight {
  readonly dtype: 'float16' | 'uint8';
  readonly bytes: Uint8Array;
  /** value = level · scale + min */
  readonly min?: number;
  readonly scale?: number;
}

const LEVELS = 255;

/** Stores values in another type; float16 for values that fit it. */
export function quantizeWeight(values: Float32Array, type: Exclude<WeightType, 'float32'>): QuantizedWeight {
  if (type === 'float16') return { dtype: type, bytes: bytesOf(toFloat16(values)) };
  let [low, high] = [0, 0]; // 0 has a level
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = (high - low) / LEVELS || 1;
  const zero = Math.round(-low / scale);
  const min = -zero * scale;
  const levels = Uint8Array.from(values, (value) => Math.max(0, Math.min(LEVELS, Math.round((value - min) / scale))));
  return { dtype: type, bytes: levels, min, scale };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Kernels with fewer values stay as they are: they save nothing. */
const LEAST_VALUES = 256;

/** How a parameter is stored when the model is quantised. With int8 biases and depthwise kernels, a small part of the bytes
 *  with a wide range, stay in float32. */
export function storedAs(
  quantize: 'float16' | 'int8' | undefined,
  { isKernel, values }: { readonly isKernel: boolean; readonly values: Float32Array },
): WeightType {
  if (quantize === 'float16') return fitsFloat16(values) ? 'float16' : 'float32';
  return quantize === 'int8' && isKernel && values.length >= LEAST_VALUES ? 'uint8' : 'float32';
}
