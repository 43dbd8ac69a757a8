import { fitsFloat16, toFloat16 } from '../graph/float16.js';
import type { TfliteModel, TfliteNode, TfliteTensor } from './model.js';

/** Stores the parameters as float16, which nodes before their readers convert back: everything computes in float32, and inputs
 *  and outputs stay as they are. Runtimes convert constants once, when they load the model. A parameter with a value that
 *  float16 cannot hold stays in float32. */
export function halveTflite(model: TfliteModel, isParameter: (tensor: string) => boolean): TfliteModel {
  const tensors = new Map<string, TfliteTensor>();
  const conversions: TfliteNode[] = [];
  for (const [name, tensor] of model.tensors) {
    const { type, shape, data } = tensor;
    if (type !== 'float32' || !data || !isParameter(name) || !fitsFloat16(data as Float32Array)) {
      tensors.set(name, tensor);
      continue;
    }
    const half = `${name}.float16`;
    tensors.set(half, { type: 'float16', shape, data: toFloat16(data as Float32Array) });
    tensors.set(name, { type, shape });
    conversions.push({ op: 'DEQUANTIZE', layer: name, inputs: [half], outputs: [name], options: {} });
  }
  return { ...model, tensors, nodes: [...conversions, ...model.nodes] };
}
