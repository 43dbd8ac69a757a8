import { FinetuneError } from '../../errors.js';
import type { EngineName } from '../names.js';
import { findLibrary, type FindOptions } from './findLibrary.js';
import { fetchOnnxRuntime, findOnnxRuntime, type OnnxRuntimeOptions } from './onnxRuntime.js';
import { SETUP } from './setupCommand.js';

/** Installs ONNX Runtime where a person asks for it, or where there is no engine but wasm: it is enough to predict, and a tenth
 *  of TensorFlow's library. If that fails, a line of progress says why. Throws only if `signal` aborts. */
export async function installForInference(
  engine: EngineName | 'auto',
  options: OnnxRuntimeOptions & Pick<FindOptions, 'packageFolder'> = {},
): Promise<void> {
  if (engine !== 'auto' && engine !== 'onnxruntime') return;
  if (findOnnxRuntime(options) !== undefined) return;
  if (engine === 'auto' && findLibrary(options) !== undefined) return;
  try {
    await fetchOnnxRuntime(options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const why = error instanceof FinetuneError ? error.problems[0]!.message : (error as Error).message;
    options.onProgress?.({ message: `without ONNX Runtime, predicting is slower: ${why}; ${SETUP} tries again` });
  }
}
