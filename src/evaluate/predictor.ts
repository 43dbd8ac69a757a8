import type { Backend } from '../engine/backend.js';
import { compileInference, inferenceEngine, type InferenceSession } from '../engine/inference/compileInference.js';
import type { Params } from '../graph/params.js';
import { parametersOf, type Programs } from '../graph/program.js';
import { fold } from '../graph/fold.js';
import type { Model } from '../tasks/model.js';
import { programName } from '../tasks/feeds.js';

export interface PredictorOptions {
  /** Images per call. */
  readonly batch: number;
  /** Calls that are under way at once (InferenceOptions); default 1. */
  readonly lanes?: number;
  /** Whether the program returns the loss of the targets fed, too. */
  readonly loss?: boolean;
}

/** Opens the model for inference, with every BatchNorm folded into its convolution, `batch` images per call. The
 *  session's program `evaluate`, one for each of the task's sizes (programName), returns the task's outputs, and with
 *  `loss` the loss of the targets fed. The caller must dispose of the session. */
export async function openPredictor(
  model: Model,
  backend: Backend,
  options: PredictorOptions,
): Promise<InferenceSession> {
  const { programs, values } = buildPredictor(model, options);
  return compileInference(programs, backend, values, options.lanes === undefined ? {} : { lanes: options.lanes });
}

/** The engine that computes the predictor faster: ONNX Runtime, or the backend's own. */
export function predictorEngine(model: Model, backend: Backend, options: PredictorOptions) {
  const { programs, values } = buildPredictor(model, options);
  return inferenceEngine(programs, backend, values);
}

/** The programs of openPredictor and the values of their parameters, to be compiled or written in another way. */
export function buildPredictor(
  { task, params, size: modelSize }: Model,
  { batch, loss = false }: PredictorOptions,
): { readonly programs: Programs; readonly values: Params } {
  const all = (task.sizes ?? [task.evaluateSize ?? modelSize]).map((size) => {
    const built = task.build({ batch, size, trainBatchNorm: () => false });
    const wanted = loss ? { ...built.outputs, loss: built.loss().total } : built.outputs;
    const { roots, derive } = fold(Object.values(wanted));
    const program = { outputs: Object.fromEntries(Object.keys(wanted).map((name, i) => [name, roots[i]!])) };
    return { name: programName('evaluate', size, task), program, derive };
  });
  const programs = Object.fromEntries(all.map(({ name, program }) => [name, program]));
  const wantedHere = parametersOf(programs);
  const derived = all.flatMap(({ derive }) => [...derive(params)]);
  return { programs, values: new Map([...params, ...derived].filter(([name]) => wantedHere.has(name))) };
}
