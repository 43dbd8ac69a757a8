import { open } from 'node:fs/promises';
import { FinetuneError } from '../../errors.js';
import type { RawTensor } from './rawTensor.js';
import { decodeTorch } from './torchDtypes.js';
import { TorchTensor, type TorchStorage } from './torchGlobals.js';
import { openLegacyTorch } from './torchLegacy.js';
import { findStateDict } from './torchStateDict.js';
import { checkExtent, gather } from './torchStrides.js';
import { openTorchZip } from './torchZip.js';

/** A PyTorch file: its unpickled root, and the bytes behind the storages it names. */
export interface TorchFile {
  readonly root: unknown;
  readonly readStorage: (storage: TorchStorage) => Promise<Uint8Array>;
  readonly dispose: () => void | Promise<void>;
}

export interface TorchWeights {
  readonly tensors: Map<string, RawTensor>;
  /** Where in the file the state dict was, and what else is there. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads the state dict of a PyTorch file: torch.save of either format, the dict itself or a checkpoint around it. Nothing
 *  in the file is executed. Throws E_TORCH_{FORMAT,TRUNCATED,PICKLE,GLOBAL,TENSOR,STATE_DICT}, with the file. */
export async function readTorch(file: string): Promise<TorchWeights> {
  const torch = await openTorch(file);
  try {
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
        read.set(name, { shape, dtype, data: decodeTorch(gather(bytes, tensor), dtype) });
      }
    }
    return { tensors: new Map([...described.keys()].map((name) => [name, read.get(name)!])), metadata };
  } finally {
    await torch.dispose();
  }
}

async function openTorch(file: string): Promise<TorchFile> {
  const handle = await open(file);
  const head = new Uint8Array(512);
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  if (head[0] === 0x50 && head[1] === 0x4b) return openTorchZip(file);
  if (head[0] === 0x80) return openLegacyTorch(file);
  const tar = new TextDecoder().decode(head.subarray(257, 262)) === 'ustar';
  const message = tar ? 'a PyTorch file from before version 0.2 (tar), which is not read' : 'no file of torch.save';
  const fix = tar ? 'load and save it with a newer PyTorch' : 'its first bytes are neither a zip nor a pickle';
  throw new FinetuneError({ code: 'E_TORCH_FORMAT', message, fix, where: { file } });
}
