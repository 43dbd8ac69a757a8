import { join } from 'node:path';
import { openBackend, type CompiledBackend } from '../../../engine/backend.js';
import { portsOf } from '../../../engine/file.js';
import { openSavedModel } from '../../../engine/libtensorflow/savedModel.js';
import { writeNew } from '../../../files/folders.js';
import { halveConstants } from '../../../tensorflow/halve.js';
import { emitInference, whyNotInference } from '../../../tensorflow/inference.js';
import { encodeSavedModel, SAVED_MODEL_FILE } from '../../../tensorflow/savedModel.js';
import type { Format } from '../../format.js';

/** TensorFlow's SavedModel, with the weights as constants in its graph. TensorFlow has no kernels that compute with int8
 *  weights, so that int8 would only make the file smaller. */
export const savedmodel: Format = {
  name: 'savedmodel',
  quantizations: ['float16'],
  whyNot: ({ program }) => whyNotInference(program),
  async write(folder, { program, params }, quantizing) {
    const emitted = emitInference(program, params);
    const nodes = quantizing ? halveConstants(emitted.nodes, (name) => params.has(name)) : emitted.nodes;
    await writeNew(join(folder, SAVED_MODEL_FILE), encodeSavedModel({ ...emitted, nodes }));
    return { files: [SAVED_MODEL_FILE], kept: [] };
  },
  async open(folder, { program }) {
    const backend = (await openBackend({ engine: 'tensorflow' })) as CompiledBackend;
    return openSavedModel(folder, portsOf(program), backend);
  },
};
