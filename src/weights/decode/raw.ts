import { open } from 'node:fs/promises';
import { FinetuneError } from '../../errors.js';
import { readKerasH5 } from './keras.js';
import type { RawTensor } from './rawTensor.js';
import { readSafetensors } from './safetensors.js';
import { readTfjs } from './tfjs.js';
import { readTorch } from './torch.js';
import { withBytesOf } from '../sources/openBytes.js';

/** What a weights file holds, as it calls it. */
export interface RawWeights {
  /** For people. */
  readonly format: string;
  /** `torch`: OIHW, C1HW, OI; `ours`: HWIO, HWC1, IO, which is TensorFlow's. */
  readonly layout: 'torch' | 'ours';
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

type Reader = (file: string) => Promise<RawWeights>;

const safetensors: Reader = async (file) => ({
  format: 'safetensors',
  layout: 'torch',
  ...(await readSafetensors(file)),
});
const torch: Reader = async (file) => ({
  format: 'PyTorch',
  layout: 'torch',
  ...(await withBytesOf(file, readTorch)),
});
const keras: Reader = async (file) => ({
  format: 'Keras HDF5',
  layout: 'ours',
  tensors: await readKerasH5(file),
  metadata: {},
});
const tfjs: Reader = async (file) => {
  const { format, tensors } = await readTfjs(file);
  const word = format === 'graph-model' ? 'GraphModel' : 'Layers model';
  return { format: `TensorFlow.js ${word}`, layout: 'ours', tensors, metadata: {} };
};

const BY_ENDING: Readonly<Record<string, Reader>> = {
  safetensors,
  pth: torch, pt: torch, bin: torch, ckpt: torch, 'pth.tar': torch, th: torch,
  h5: keras, hdf5: keras,
  json: tfjs,
}; // prettier-ignore

/** Whether this looks like weights among the files of a package: a shard (.bin) or any other JSON does not. */
export const isWeightsFile = (path: string): boolean =>
  findEnding(path) !== undefined && (!/\.(json|bin)$/.test(path) || /(^|\/)(pytorch_)?model\.(json|bin)$/.test(path));

const findEnding = (path: string): string | undefined =>
  Object.keys(BY_ENDING).find((ending) => path.toLowerCase().endsWith(`.${ending}`));

/** Reads a weights file by its ending, or by its first bytes where the ending says nothing.
 *  Throws E_WEIGHTS_FORMAT, and what the reader of the format throws. */
export async function readRaw(file: string): Promise<RawWeights> {
  const ending = findEnding(file);
  const reader = ending === undefined ? readerFor(await firstBytes(file)) : BY_ENDING[ending];
  if (reader) return reader(file);
  const fix = 'weights are read from safetensors, PyTorch, Keras HDF5 and TensorFlow.js files';
  throw new FinetuneError({ code: 'E_WEIGHTS_FORMAT', message: 'a file of no known format', fix, where: { file } });
}

function readerFor(head: Uint8Array): Reader | undefined {
  const [a, b] = head;
  if (a === 0x89 && b === 0x48) return keras;
  if (head[8] === 0x7b) return safetensors; // "{" behind the length of the header
  if ((a === 0x50 && b === 0x4b) || (a === 0x80 && b === 0x02)) return torch; // a zip, a pickle
  return a === 0x7b ? tfjs : undefined;
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
