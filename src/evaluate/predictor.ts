import type { Backend } from '../engine/backend.js';
import { compileInference, type InferenceSession } from '../engine/inference/compileInference.js';
import { parametersOf } from '../graph/program.js';
import { fold } from '../graph/fold.js';
import type { Model } from '../tasks/model.js';
import { programName } from '../tasks/feeds.js';

/** Opens the model for inference, with every BatchNorm folded into its convolution, `batch` images per call. The
 *  session's program `evaluate`, one for each of the task's sizes (programName), returns the task's outputs, and with
 *  `loss` the loss of the targets fed. The caller must dispose of the session. */
export async function openPredictor(
  model: Model,
  backend: Backend,
  { batch, loss = false }: { readonly batch: number; readonly loss?: boolean },
): Promise<InferenceSession> {
  const { task, params } = model;
  const all = (task.sizes ?? [task.evaluateSize ?? model.size]).map((size) => {
    const built = task.build({ batch, size, trainBatchNorm: () => false });
    const wanted = loss ? { ...built.outputs, loss: built.loss().total } : built.outputs;
    const { roots, derive } = fold(Object.values(wanted));
    const program = { outputs: Object.fromEntries(Object.keys(wanted).map((name, i) => [name, roots[i]!])) };
    return { name: programName('evaluate', size, task), program, derive };
  });
  const programs = Object.fromEntries(all.map(({ name, program }) => [name, program]));
  const wantedHere = parametersOf(programs);
  const derived = all.flatMap(({ derive }) => [...derive(params)]);
  const values = new Map([...params, ...derived].filter(([name]) => wantedHere.has(name)));
  return compileInference(programs, backend, values);
}
