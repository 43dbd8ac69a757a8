import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError } from '../../errors.js';
import type { RawTensor } from './rawTensor.js';
import { decodeValues } from './torchDtypes.js';
import type { TorchFile } from './torchFile.js';
import { TorchTensor, type TorchStorage } from './torchGlobals.js';
import { openLegacyTorch } from './torchLegacy.js';
import { findStateDict } from './torchStateDict.js';
import { checkExtent, gather } from './torchStrides.js';
import { openTorchZip } from './torchZip.js';

interface TorchWeights {
  readonly tensors: Map<string, RawTensor>;
  /** Where in the file the state dict was, and what else is there. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads the state dict of a PyTorch file: torch.save of either format, the dict itself or a checkpoint around it.
 *  Nothing in the file is executed. Throws E_TORCH_{FORMAT,TRUNCATED,PICKLE,GLOBAL,TENSOR,STATE_DICT}, with the
 *  file. */
export async function decodeTorch(source: ByteSource): Promise<TorchWeights> {
  const { file } = source;
  const torch = await openTorch(source);
  const { tensors: described, metadata } = findStateDict(torch.root, file);
  const byStorage = new Map<TorchStorage, [name: string, tensor: TorchTensor][]>();
  for (const [name, tensor] of described) {
    checkExtent(name, tensor, file);
    byStorage.set(tensor.storage, [...(byStorage.get(tensor.storage) ?? []), [name, tensor]]);
  }
  const read = new Map<string, RawTensor>();
  for (const [storage, sharers] of byStorage) {
    const bytes = await torch.readStorage(storage); // one at a time: several tensors may share it
    for (const [name, tensor] of sharers) {
      const { shape, dtype } = tensor;
      read.set(name, { shape, dtype, data: decodeValues(gather(bytes, tensor), dtype) });
    }
  }
  return { tensors: new Map([...described.keys()].map((name) => [name, read.get(name)!])), metadata };
}

async function openTorch(source: ByteSource): Promise<TorchFile> {
  const head = await source.read(0, Math.min(512, source.size));
  if (head[0] === 0x50 && head[1] === 0x4b) return openTorchZip(source);
  if (head[0] === 0x80) return openLegacyTorch(source);
  const tar = new TextDecoder().decode(head.subarray(257, 262)) === 'ustar';
  const message = tar
    ? 'a PyTorch file from before version 0.2 (tar), which cannot be read'
    : 'not a file of torch.save';
  const fix = tar ? 'load and save it with a newer PyTorch' : 'its first bytes are neither a zip nor a pickle';
  throw new FinetuneError({ code: 'E_TORCH_FORMAT', message, fix, where: { file: source.file } });
}
