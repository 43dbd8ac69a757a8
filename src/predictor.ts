import type { Backend } from './engine/backend.js';
import { compile } from './engine/compile.js';
import { parametersOf, type Session } from './engine/engine.js';
import { fold } from './graph/fold.js';
import type { Model } from './model.js';

/** The model for inference: every BatchNorm folded into its convolution, `batch` images per call.
 *  Its program `evaluate` returns the task's outputs, and with `loss` that of the targets fed. Whoever opens it disposes of it. */
export async function openPredictor(
  model: Model,
  backend: Backend,
  { batch, loss = false }: { readonly batch: number; readonly loss?: boolean },
): Promise<Session> {
  const { outputs } = model.task.build({
    batch,
    size: model.task.evaluateSize ?? model.size,
    trainBatchNorm: () => false,
  });
  const wanted = loss ? { ...outputs, loss: model.task.loss(outputs).total } : outputs;
  const { roots, derive } = fold(Object.values(wanted));
  const programs = {
    evaluate: { outputs: Object.fromEntries(Object.keys(wanted).map((name, i) => [name, roots[i]!])) },
  };
  const wantedHere = parametersOf(programs);
  const values = new Map([...model.params, ...derive(model.params)].filter(([name]) => wantedHere.has(name)));
  return compile(programs, backend, values);
}
