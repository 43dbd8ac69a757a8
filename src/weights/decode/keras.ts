import type { ByteSource } from '../../bytes/byteSource.js';
import { FinetuneError } from '../../errors.js';
import { readHdf5, type Hdf5Array } from './hdf5.js';
import type { RawTensor } from './rawTensor.js';

/** Reads the weights of a Keras HDF5 file under the names "layer/variable": whole models and `save_weights` of Keras 1
 *  and 2 (`Conv1/Conv1/kernel:0`), and `.weights.h5` of Keras 3 (`layers/conv2d/vars/0` with the layer's name as an
 *  attribute). Layouts are TensorFlow's. The optimizer's state is left out. Throws E_HDF5_FORMAT, E_KERAS_NAMES. */
export async function decodeKeras(source: ByteSource): Promise<Map<string, RawTensor>> {
  const arrays = await readHdf5(source, (names) => (names.includes('model_weights') ? 'model_weights' : undefined));
  const weights = arrays.filter(({ path }) => path[0] !== 'optimizer' && path[0] !== 'optimizer_weights');
  const isKeras3 = weights.some(({ path }) => path.at(-2) === 'vars');
  const named = isKeras3
    ? nameVariables(weights)
    : weights.map(({ path, tensor }) => ({ name: kerasName(path), tensor }));
  const tensors = new Map<string, RawTensor>();
  for (const { name, tensor } of named) {
    if (tensors.has(name)) {
      const message = `two weights are called "${name}"`;
      const fix = 'save the inner model on its own';
      throw new FinetuneError({ code: 'E_KERAS_NAMES', message, fix, where: { file: source.file } });
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Shortens the path of a variable: `…/Conv1/kernel:0` → `Conv1/kernel`. Keras 2 calls a depthwise kernel
 *  `depthwise_kernel`; here it is `kernel`, as in Keras 3. */
export function kerasName(path: readonly string[]): string {
  const [layer, variable] = path.join('/').split('/').slice(-2);
  return `${layer ?? ''}/${(variable ?? '').replace(/:\d+$/, '').replace(/^depthwise_kernel$/, 'kernel')}`;
}

/** Names the variables of a Keras 3 file, where each layer numbers its own in the order in which it makes them. */
function nameVariables(arrays: readonly Hdf5Array[]): { name: string; tensor: RawTensor }[] {
  const groups = new Map<string, Hdf5Array[]>();
  for (const array of arrays) {
    const group = array.path.slice(0, -1).join('/');
    groups.set(group, [...(groups.get(group) ?? []), array]);
  }
  return [...groups.values()].flatMap((group) => {
    const ordered = [...group].sort((a, b) => Number(a.path.at(-1)) - Number(b.path.at(-1)));
    const variables = variablesOf(ordered.map(({ tensor }) => tensor.shape.length));
    return ordered.map(({ path, groupName, tensor }, i) => ({
      name: `${groupName ?? path.at(-3) ?? ''}/${variables[i] ?? i}`,
      tensor,
    }));
  });
}

/** Tells the names of a layer's variables from their ranks: a BatchNormalization has four vectors, a convolution or a
 *  Dense layer a kernel and perhaps a bias. Returns no names for other layers. */
function variablesOf(ranks: readonly number[]): readonly string[] {
  const norm = ranks.length === 4 && ranks.every((rank) => rank === 1);
  if (norm) return ['gamma', 'beta', 'moving_mean', 'moving_variance'];
  return ranks[0]! >= 2 && ranks.length <= 2 ? ['kernel', 'bias'] : [];
}
