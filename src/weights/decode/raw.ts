import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError } from '../../errors.js';
import { decodeKeras } from './keras.js';
import type { RawTensor } from './rawTensor.js';
import { decodeSafetensors } from './safetensors.js';
import { decodeTfjs } from './tfjs.js';
import type { ReadShard } from './tfjsManifest.js';
import { decodeTorch } from './torch.js';

/** The content of a weights file, under the names that the file uses. */
export interface RawWeights {
  /** Name of the file format, for people. */
  readonly format: string;
  /** `torch`: OIHW, C1HW, OI; `ours`: HWIO, HWC1, IO, which is TensorFlow's. */
  readonly layout: 'torch' | 'ours';
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

type Decoder = (source: ByteSource, readShard: ReadShard) => Promise<RawWeights>;

const safetensors: Decoder = async (source) => ({
  format: 'safetensors',
  layout: 'torch',
  ...(await decodeSafetensors(source)),
});
const torch: Decoder = async (source) => ({ format: 'PyTorch', layout: 'torch', ...(await decodeTorch(source)) });
const keras: Decoder = async (source) => ({
  format: 'Keras HDF5',
  layout: 'ours',
  tensors: await decodeKeras(source),
  metadata: {},
});
const tfjs: Decoder = async (source, readShard) => {
  const { format, tensors } = await decodeTfjs(source, readShard);
  const word = format === 'graph-model' ? 'GraphModel' : 'Layers model';
  return { format: `TensorFlow.js ${word}`, layout: 'ours', tensors, metadata: {} };
};

const BY_ENDING: Readonly<Record<string, Decoder>> = {
  safetensors,
  pth: torch,
  pt: torch,
  bin: torch,
  ckpt: torch,
  'pth.tar': torch,
  th: torch,
  h5: keras,
  hdf5: keras,
  json: tfjs,
};

/** Whether a file of a package looks like weights. A shard (.bin) and JSON other than model.json do not. */
export const isWeightsFile = (path: string): boolean =>
  findEnding(path) !== undefined && (!/\.(json|bin)$/.test(path) || /(^|\/)(pytorch_)?model\.(json|bin)$/.test(path));

const findEnding = (path: string): string | undefined =>
  Object.keys(BY_ENDING).find((ending) => path.toLowerCase().endsWith(`.${ending}`));

/** Decodes weights by the ending of the file's name, or by the first bytes if the ending is not known. `readShard` gets
 *  the binary files that a model.json of TensorFlow.js names. Throws E_WEIGHTS_FORMAT, and what the decoder of the
 *  format throws. */
export async function decodeWeights(source: ByteSource, readShard: ReadShard): Promise<RawWeights> {
  const { file, size } = source;
  const ending = findEnding(file);
  const decoder = ending === undefined ? decoderFor(await source.read(0, Math.min(16, size))) : BY_ENDING[ending];
  if (decoder) return decoder(source, readShard);
  const fix = 'weights are read from safetensors, PyTorch, Keras HDF5 and TensorFlow.js files';
  throw new FinetuneError({
    code: 'E_WEIGHTS_FORMAT',
    message: 'the format of this file is not known',
    fix,
    where: { file },
  });
}

/** Whether a file that begins with these bytes, at least 16 of them if it has so many, may be one of weights. */
export const beginsLikeWeights = (head: Uint8Array): boolean =>
  decoderFor(head) !== undefined ||
  head[0] === 0x80 || // a pickle of another protocol, of which the decoder tells more
  /^\uFEFF?\s*\{/.test(new TextDecoder('utf-8', { ignoreBOM: true }).decode(head));

function decoderFor(head: Uint8Array): Decoder | undefined {
  const [a, b] = head;
  if (a === 0x89 && b === 0x48) return keras;
  if (head[8] === 0x7b) return safetensors; // "{" after the length of the header
  if ((a === 0x50 && b === 0x4b) || (a === 0x80 && b === 0x02)) return torch; // a zip, a pickle
  return a === 0x7b ? tfjs : undefined;
}
