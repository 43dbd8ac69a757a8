import type { Port } from '../../onnx/model.js';
import type { Feed, Feeds, Results } from '../engine.js';
import type { RuntimeSession } from './binding.js';
import { runtimeError } from './runtime.js';

/** A model that ONNX Runtime has loaded. */
export interface Loaded {
  readonly session: RuntimeSession;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** Runs a loaded model once. Throws E_ONNX_RUNTIME with the name of the program. */
export async function call(program: string, { session, inputs, outputs }: Loaded, feeds: Feeds): Promise<Results> {
  const tensors = inputs.map(
    ({ key, name, dtype, shape }) => [name, { dtype, shape: shape!, data: feeds[key]! }] as const,
  );
  const fetched = new Map(outputs.map((output) => [output.name, output]));
  const names = [...fetched.keys()];
  try {
    const results = await session.run(Object.fromEntries(tensors), [...fetched.values()]);
    return Object.fromEntries(outputs.map(({ key, name }) => [key, toFloat(results[names.indexOf(name)]!)]));
  } catch (error) {
    throw runtimeError(`run the program "${program}"`, error);
  }
}

const toFloat = (values: Feed): Float32Array => (values instanceof Float32Array ? values : Float32Array.from(values));
