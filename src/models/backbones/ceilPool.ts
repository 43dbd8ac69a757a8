import { maxPool } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';

const STRIDE = 2;

/** Max-pooling with stride 2 whose last window may reach over the border, the only one too: PyTorch's `ceil_mode`, and
 *  Caffe's way. */
export function ceilPool(x: Value, kernel: number): Value {
  const after = (length: number): readonly [number, number] => [
    0,
    length < kernel ? kernel - length : (length - kernel) % STRIDE,
  ];
  const [, height, width] = x.shape as [number, number, number];
  return maxPool(x, { kernel: [kernel, kernel], stride: STRIDE, padding: [after(height), after(width)] });
}
