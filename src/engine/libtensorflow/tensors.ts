import type { Shape } from '../../graph/spec.js';
import { DT } from '../../tensorflow/graphDef.js';
import type { Feed } from '../engine.js';
import type { Pointer } from '../native.js';
import type { TensorFlow } from './library.js';

/** What one call feeds: values for the placeholder of this name. */
export interface Fed {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: number;
  readonly values: Feed;
}

/** A tensor with a copy of the values. Whoever makes it deletes it. */
export function toTensor(tf: TensorFlow, { shape, dtype, values }: Fed): Pointer {
  const tensor = tf.allocateTensor(dtype, BigInt64Array.from(shape, BigInt), shape.length, values.byteLength);
  tf.copy(tf.tensorData(tensor), values, values.byteLength);
  return tensor;
}

const ARRAYS = { [DT.float32]: Float32Array, [DT.int32]: Int32Array, [DT.bool]: Uint8Array } as const;

/** A copy of a tensor's values. */
export function toFeed(tf: TensorFlow, tensor: Pointer): Feed {
  const bytes = tf.tensorBytes(tensor);
  const ArrayType = ARRAYS[tf.tensorType(tensor) as keyof typeof ARRAYS];
  const values = new ArrayType(bytes / ArrayType.BYTES_PER_ELEMENT);
  tf.copy(values, tf.tensorData(tensor), bytes);
  return values;
}
