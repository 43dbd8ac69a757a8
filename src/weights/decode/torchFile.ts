import type { TorchStorage } from './torchGlobals.js';

/** A PyTorch file: its unpickled root, and the bytes behind the storages that the root names. */
export interface TorchFile {
  readonly root: unknown;
  readonly readStorage: (storage: TorchStorage) => Promise<Uint8Array>;
}
