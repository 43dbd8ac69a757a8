import { fitsFloat16, toFloat16 } from '../graph/float16.js';
import { DATA_TYPE, type Initializer, type OnnxModel, type OnnxNode } from './model.js';

/** Stores the parameters as float16, which the first nodes convert back: everything computes in float32, and inputs and
 *  outputs stay as they are. Runtimes convert constants once, when they load the model. A parameter with a value that float16
 *  cannot hold stays in float32. */
export function halveOnnx(model: OnnxModel, isParameter: (initializer: string) => boolean): OnnxModel {
  const stored: Initializer[] = [];
  const casts: OnnxNode[] = [];
  for (const initializer of model.initializers) {
    const { name, type, shape, data } = initializer;
    if (type !== 'float32' || !isParameter(name) || !fitsFloat16(data as Float32Array)) {
      stored.push(initializer);
      continue;
    }
    const half = `${name}.float16`;
    stored.push({ name: half, type: 'float16', shape, data: toFloat16(data as Float32Array) });
    casts.push({
      op: 'Cast',
      name: half.replace(/float16$/, 'cast'),
      inputs: [half],
      outputs: [name],
      attrs: { to: { int: DATA_TYPE.float32 } },
    });
  }
  return { ...model, initializers: stored, nodes: [...casts, ...model.nodes] };
}
