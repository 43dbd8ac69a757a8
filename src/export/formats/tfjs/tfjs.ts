import { join } from 'node:path';
import { portsOf } from '../../../engine/file.js';
import { openGraphModel } from '../../../engine/tfjs/graphModel.js';
import { writeNew } from '../../../files/folders.js';
import { parametersOf } from '../../../graph/program.js';
import { emitInference, whyNotInference, type EmittedInference } from '../../../tensorflow/inference.js';
import { encodeGraphModel, GRAPH_MODEL_FILE, needsAsync } from '../../../tensorflow/tfjs/graphModel.js';
import { storedAs } from '../../../tensorflow/tfjs/quantizeWeights.js';
import { parameterOf, tfjsRules } from '../../../tensorflow/tfjs/rules.js';
import type { Format } from '../../format.js';

/** The same format, with a model that is changed before it is written. */
export const tfjsWith = (change: (emitted: EmittedInference) => EmittedInference): Format => ({
  name: 'tfjs',
  quantizations: ['float16', 'int8'],
  whyNot: ({ program }) => whyNotInference(program),
  async write(folder, { program, params }, quantizing) {
    const parameters = parametersOf({ program });
    const emitted = change(emitInference(program, params, tfjsRules));
    const { json, shards } = encodeGraphModel(emitted, (constant, { values }) => {
      const parameter = parameters.get(parameterOf(constant));
      if (!parameter) return 'float32';
      const isKernel = parameter.kind === 'conv' || parameter.kind === 'linear';
      return storedAs(quantizing?.type, { isKernel, values: Float32Array.from(values) });
    });
    await writeNew(join(folder, GRAPH_MODEL_FILE), JSON.stringify(json));
    for (const [name, bytes] of shards) await writeNew(join(folder, name), bytes);
    const call = needsAsync(json.modelTopology.node) ? 'executeAsync' : 'execute';
    return { files: [GRAPH_MODEL_FILE, ...shards.keys()], kept: [], call };
  },
  open: (folder, { program }) => openGraphModel(folder, portsOf(program)),
});

/** A graph model of TensorFlow.js. float16 and int8 make its files smaller; TensorFlow.js converts the weights back when it
 *  loads them, and computes in float32. */
export const tfjs: Format = tfjsWith((emitted) => emitted);
