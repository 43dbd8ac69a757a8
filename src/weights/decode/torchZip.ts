import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError, type Problem } from '../../errors.js';
import { unpickle } from './pickle.js';
import type { TorchFile } from './torchFile.js';
import { torchScope, storageBytes } from './torchGlobals.js';
import { openZip } from './zip.js';

/** A state dict's pickle takes some 100 bytes a tensor. */
const MAX_PICKLE_BYTES = 256 << 20;

/** Opens what torch.save writes since 1.6: a zip with `<name>/data.pkl`, and `<name>/data/<key>` for every storage.
 *  https://docs.pytorch.org/docs/stable/notes/serialization.html. Throws E_TORCH_{FORMAT,TRUNCATED,…}. */
export async function openTorchZip(source: ByteSource): Promise<TorchFile> {
  const { file } = source;
  const zip = await openZip(source, 'E_TORCH_TRUNCATED');
  const fail = (code: Problem['code'], message: string, fix?: string) =>
    new FinetuneError({ code, message, where: { file }, ...(fix && { fix }) });
  const pickle = [...zip.files.keys()].find((path) => /^[^/]+\/data\.pkl$/.test(path));
  if (pickle === undefined) throw fail('E_TORCH_FORMAT', 'a zip archive without data.pkl, so not a file of torch.save');
  const folder = pickle.slice(0, -'data.pkl'.length);
  if (zip.files.has(`${folder}constants.pkl`)) {
    const fix = 'save the weights alone: torch.save(torch.jit.load(file).state_dict(), …)';
    throw fail('E_TORCH_FORMAT', 'a TorchScript program, not weights', fix);
  }
  if (zip.files.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await zip.read(`${folder}byteorder`));
    if (order !== 'little')
      throw fail('E_TORCH_FORMAT', `it was saved on a ${order}-endian machine and cannot be read`);
  }
  if (zip.files.get(pickle)!.size > MAX_PICKLE_BYTES)
    throw fail('E_TORCH_PICKLE', 'the pickle is too large for weights');
  const scope = torchScope(file, () => undefined);
  return {
    root: unpickle(await zip.read(pickle), 0, scope).value,
    readStorage: async (storage) => {
      const path = `${folder}data/${storage.key}`;
      const needed = storageBytes(storage);
      const present = zip.files.get(path)?.size ?? 0;
      if (present < needed) {
        throw fail('E_TORCH_TRUNCATED', `storage ${storage.key} has ${present} bytes, its tensors need ${needed}`);
      }
      return zip.read(path);
    },
  };
}
