import { FinetuneError } from '../../errors.js';
import { findLibrary, type FindOptions } from './findLibrary.js';
import { fetchOnnxRuntime, findOnnxRuntime, type OnnxRuntimeOptions } from './onnxRuntime.js';
import { SETUP } from './setupCommand.js';

/** Installs ONNX Runtime where there is no engine but wasm: it is enough to predict, and a tenth of TensorFlow's library. If
 *  that fails, a line of progress says why. Throws only if `signal` aborts. */
export async function installForInference(
  options: OnnxRuntimeOptions & Pick<FindOptions, 'packageFolder'> = {},
): Promise<void> {
  if (findOnnxRuntime(options) !== undefined || findLibrary(options) !== undefined) return;
  try {
    await fetchOnnxRuntime(options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const why = error instanceof FinetuneError ? error.problems[0]!.message : (error as Error).message;
    options.onProgress?.({ message: `without ONNX Runtime, predicting is slower: ${why}; ${SETUP} tries again` });
  }
}
