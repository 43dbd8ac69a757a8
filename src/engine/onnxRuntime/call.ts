import type { Port } from '../../onnx/model.js';
import type { Feed, Feeds, Results } from '../engine.js';
import { runtimeError, type OnnxRuntime, type RuntimeSession, type Tensor } from './runtime.js';

/** A model that ONNX Runtime has loaded. */
export interface Loaded {
  readonly session: RuntimeSession;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** Runs a loaded model once. Throws E_ONNX_RUNTIME with the name of the program. */
export async function call(runtime: OnnxRuntime, program: string, model: Loaded, feeds: Feeds): Promise<Results> {
  const tensors = model.inputs.map(({ key, name, dtype, shape }): [string, Tensor] => [
    name,
    runtime.tensor(dtype, feeds[key]!, shape!),
  ]);
  try {
    const results = await model.session.run(Object.fromEntries(tensors));
    return Object.fromEntries(model.outputs.map(({ key, name }) => [key, toFloat(results[name]!.data as Feed)]));
  } catch (error) {
    throw runtimeError(`run the program "${program}"`, error);
  }
}

const toFloat = (values: Feed): Float32Array => (values instanceof Float32Array ? values : Float32Array.from(values));
