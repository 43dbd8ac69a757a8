import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError, type Problem } from '../../errors.js';
import { unpickle } from './pickle.js';
import type { TorchFile } from './torchFile.js';
import { storageBytes, torchScope, type TorchStorage } from './torchGlobals.js';

/** torch.serialization.MAGIC_NUMBER */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** The pickles stand before the values; a state dict's take some 100 bytes a tensor. */
const MAX_PICKLE_BYTES = 64 << 20;

/** Opens what torch.save wrote before 1.6: five pickles (magic number, protocol, machine, root, storage keys), then
 *  each storage's length in 8 bytes and its values. torch/serialization.py, `_legacy_save`. Throws
 *  E_TORCH_{FORMAT,TRUNCATED,…}. */
export async function openLegacyTorch(source: ByteSource): Promise<TorchFile> {
  const { file, size } = source;
  const fail = (code: Problem['code'], message: string) => new FinetuneError({ code, message, where: { file } });
  const head = await source.read(0, Math.min(size, MAX_PICKLE_BYTES));
  const storages = new Map<string, TorchStorage>();
  const scope = torchScope(file, (storage, id) => {
    if (id[5] !== undefined && id[5] !== null) {
      throw fail('E_TORCH_FORMAT', 'its storages are views of others (PyTorch 0.3), which cannot be read');
    }
    storages.set(storage.key, storage);
  });
  let at = 0;
  const next = (): unknown => {
    const { value, end } = unpickle(head, at, scope);
    at = end;
    return value;
  };
  if (next() !== MAGIC) throw fail('E_TORCH_FORMAT', 'a pickle, but not a file of torch.save');
  const protocol = next();
  if (protocol !== PROTOCOL) {
    throw fail('E_TORCH_FORMAT', `it has protocol ${String(protocol)} of torch.save; only ${PROTOCOL} can be read`);
  }
  const machine = next();
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw fail('E_TORCH_FORMAT', 'it was saved on a big-endian machine and cannot be read');
  }
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw fail('E_TORCH_PICKLE', 'the list of storages is not a list');

  const positions = new Map<string, number>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw fail('E_TORCH_PICKLE', `storage ${String(key)} belongs to no tensor`);
    const present = at + 8 <= size ? await readLength(source, at) : -1n;
    const end = at + 8 + storageBytes(storage);
    if (present !== BigInt(storage.length) || end > size) {
      const message = `storage ${storage.key} should end at byte ${end}, but the file has ${size} bytes`;
      throw fail('E_TORCH_TRUNCATED', message);
    }
    positions.set(storage.key, at + 8);
    at = end;
  }
  return {
    root,
    readStorage: async (storage) => {
      const position = positions.get(storage.key);
      if (position === undefined) throw fail('E_TORCH_TRUNCATED', `storage ${storage.key} is not in the file`);
      return source.read(position, storageBytes(storage));
    },
  };
}

async function readLength(source: ByteSource, at: number): Promise<bigint> {
  const bytes = await source.read(at, 8);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(0, true);
}
