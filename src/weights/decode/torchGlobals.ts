import { FinetuneError } from '../../errors.js';
import type { PickleScope } from './pickle.js';
import { bytesPerValue, TORCH_STORAGES, type TorchDType, type TorchType } from './torchDtypes.js';

/** Values in a file that have not been read yet. Several tensors can share one storage. */
export interface TorchStorage {
  readonly key: string;
  /** Type of the values; undefined for an untyped storage, where each tensor has a type of its own. */
  readonly dtype: TorchDType | undefined;
  /** Number of values of `dtype`, or of bytes if it is undefined. */
  readonly length: number;
}

/** Number of bytes that a storage's values take. */
export const storageBytes = ({ dtype, length }: TorchStorage): number => length * (dtype ? bytesPerValue(dtype) : 1);

/** A tensor as the pickle describes it: which values of which storage. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: TorchDType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

type Callable = (...args: readonly unknown[]) => unknown;

/** The globals that a state dict is made of. These functions only describe values; none has an effect outside. */
const CALLABLES: Readonly<Record<string, Callable>> = {
  'collections.OrderedDict': (items = []) => new Map(items as [unknown, unknown][]),
  'torch._utils._rebuild_tensor_v2': (storage, offset, shape, strides) => tensor(storage, offset, shape, strides),
  'torch._utils._rebuild_tensor': (storage, offset, shape, strides) => tensor(storage, offset, shape, strides),
  'torch._utils._rebuild_tensor_v3': (storage, offset, shape, strides, _grad, _hooks, dtype) =>
    tensor(storage, offset, shape, strides, dtype),
  'torch._utils._rebuild_parameter': (data) => data,
  'torch._utils._rebuild_parameter_with_state': (data) => data,
  'torch.nn.parameter.Parameter': (data) => data,
  'torch.Size': (sizes) => sizes,
  'torch.device': (...device) => device.join(':'),
  'builtins.set': (items = []) => new Set(items as unknown[]),
  '__builtin__.set': (items = []) => new Set(items as unknown[]),
  'numpy.dtype': (name) => ({ numpy: name }),
  'numpy.core.multiarray.scalar': (dtype, bytes) => numpyScalar(dtype, bytes),
  'numpy._core.multiarray.scalar': (dtype, bytes) => numpyScalar(dtype, bytes),
  '_codecs.encode': (text, encoding) =>
    typeof text === 'string' && encoding === 'latin1' ? Uint8Array.from(text, (char) => char.charCodeAt(0)) : undefined,
};

/** Creates the scope for a pickle of PyTorch. `onStorage` is called when a storage is named for the first time. */
export function torchScope(
  file: string,
  onStorage: (storage: TorchStorage, id: readonly unknown[]) => void,
): PickleScope {
  const storages = new Map<string, TorchStorage>();
  const fail = (message: string) => new FinetuneError({ code: 'E_TORCH_PICKLE', message, where: { file } });
  return {
    file,
    global: (name) => CALLABLES[name] ?? TORCH_STORAGES.get(name),
    call: (callee, args) => {
      if (typeof callee !== 'function') return undefined;
      try {
        return (callee as Callable)(...args);
      } catch (error) {
        throw fail(`a tensor is described wrongly: ${(error as Error).message}`);
      }
    },
    persistent: (id) => {
      if (!Array.isArray(id) || id[0] !== 'storage') throw fail('a persistent id is not a storage');
      const [, type, key, , length] = id as unknown[];
      if (typeof key !== 'string' || !isSize(length)) throw fail('a storage has no key or no length');
      if (!isType(type)) throw fail(`the type of storage ${key} is not known`);
      const { dtype } = type;
      const known = storages.get(key);
      if (known) {
        if (known.dtype === dtype && known.length === length) return known;
        throw fail(`storage ${key} is described in two ways`);
      }
      const storage = { key, dtype, length };
      storages.set(key, storage);
      onStorage(storage, id as unknown[]);
      return storage;
    },
  };
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isSizes = (value: unknown): value is number[] => Array.isArray(value) && value.every(isSize);

/** Whether it is one of the types of TORCH_STORAGES. */
const isType = (type: unknown): type is TorchType => typeof type === 'object' && type !== null && 'dtype' in type;

function tensor(storage: unknown, offset: unknown, shape: unknown, strides: unknown, dtype?: unknown): TorchTensor {
  if (typeof storage !== 'object' || storage === null || !('key' in storage)) throw new Error('it has no storage');
  const { dtype: stored } = storage as TorchStorage;
  const type = isType(dtype) ? dtype.dtype : stored;
  if (!type) throw new Error('its values have no type');
  if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    throw new Error(`offset ${String(offset)}, shape ${String(shape)}, strides ${String(strides)}`);
  }
  return new TorchTensor(storage as TorchStorage, type, offset, shape, strides);
}

/** Decodes np.float64(0.75) and the like, which training scripts leave in checkpoints; null for a type that is not a
 *  number. */
function numpyScalar(dtype: unknown, bytes: unknown): number | bigint | null {
  const name = typeof dtype === 'object' && dtype !== null && 'numpy' in dtype ? dtype.numpy : undefined;
  if (!(bytes instanceof Uint8Array)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (name === 'f8' && bytes.length === 8) return view.getFloat64(0, true);
  if (name === 'f4' && bytes.length === 4) return view.getFloat32(0, true);
  if (name === 'i8' && bytes.length === 8) return view.getBigInt64(0, true);
  if (name === 'i4' && bytes.length === 4) return view.getInt32(0, true);
  return null;
}
