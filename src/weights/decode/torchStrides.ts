import { FinetuneError } from '../../errors.js';
import { countValues, formatShape } from './rawTensor.js';
import { bytesPerValue } from './torchDtypes.js';
import type { TorchTensor } from './torchGlobals.js';

/** A tensor of at most this many values may have more values than its storage (a broadcast scalar). A larger one is
 *  refused, since it could fill the memory. */
const SMALL = 1 << 20;

/** Throws E_TORCH_TENSOR if a tensor reads outside its storage or is much larger than it. */
export function checkExtent(name: string, tensor: TorchTensor, file: string): void {
  const { storage, dtype, offset, shape, strides } = tensor;
  const length = storage.dtype ? storage.length : storage.length / bytesPerValue(dtype);
  const count = countValues(shape);
  const last = count === 0 ? -1 : offset + shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
  const fault =
    last >= length
      ? `reads value ${last} of a storage of ${length} values`
      : count > Math.max(length, SMALL)
        ? `has more values than its storage, which has ${length}`
        : undefined;
  if (fault) {
    const message = `tensor "${name}" ${formatShape(shape)} ${fault}`;
    throw new FinetuneError({ code: 'E_TORCH_TENSOR', message, where: { file } });
  }
}

/** Returns a tensor's bytes in row-major order: a view of its storage, or a copy if the tensor is transposed or
 *  sliced. */
export function gather(storage: Uint8Array, { dtype, offset, shape, strides }: TorchTensor): Uint8Array {
  const width = bytesPerValue(dtype);
  const count = countValues(shape);
  if (isContiguous(shape, strides)) return storage.subarray(offset * width, (offset + count) * width);
  const out = new Uint8Array(count * width);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < out.length; to += width) {
    for (let byte = 0; byte < width; byte++) out[to + byte] = storage[from * width + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** Whether the values of a tensor follow each other in row-major order. Strides of axes of size 1 do not matter, nor do
 *  those of an empty tensor. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 0) return true;
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
