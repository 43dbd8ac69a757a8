import type { Category } from './data/sample.js';
import { isOp } from './graph/builder.js';
import { count, type Count } from './graph/count.js';
import { initialValues } from './graph/init.js';
import type { Params } from './graph/params.js';
import { ancestors } from './graph/rewrite.js';
import type { ParamAttrs, ParamKind, Shape } from './graph/spec.js';
import type { Backbone } from './models/backbone.js';
import { findBackbone } from './models/registry.js';
import { detectionTask, type DetectionOptions, type DetectionTask } from './tasks/detection.js';
import { BACKGROUND } from './weights/categories.js';
import { applyWeights, loadWeights, type LoadOptions, type WeightsReport } from './weights/load.js';
import { saveWeights } from './weights/save.js';

/** A network with its parameters' values, on no engine yet. */
export interface Model {
  readonly task: DetectionTask;
  readonly backbone: Backbone;
  readonly categories: readonly Category[];
  /** What the class predictor's columns stand for: the categories' names, after the background's with softmax. */
  readonly columns: readonly string[];
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  readonly params: Params;
  /** Every parameter's place and purpose, statistics included. */
  readonly parameters: ReadonlyMap<string, ParamAttrs & { readonly shape: Shape }>;
  /** BatchNorms whose statistics the weights' file did not have: they change nothing until train/calibrate.ts measures them. */
  readonly folded: readonly string[];
  /** For one image. */
  readonly count: Count;
}

/** Without what the categories say. Each member of the union for itself: `Omit` alone would keep what all have in common. */
type WithoutClasses<T> = T extends unknown ? Omit<T, 'numClasses'> : never;

export type ModelOptions = WithoutClasses<DetectionOptions> & {
  readonly categories: readonly Category[];
  readonly seed: number;
};

/** Builds a model with initial values from the seed. Throws E_MODEL_UNKNOWN. */
export function createModel({ categories, seed, ...options }: ModelOptions): Model {
  const task = detectionTask({ ...options, numClasses: categories.length });
  const { outputs } = task.build({ batch: 1, size: options.size, trainBatchNorm: () => false });
  const roots = Object.values(outputs);
  const attrs = ancestors(roots).flatMap((node) => (isOp(node, 'param') ? [node.attrs] : []));
  return {
    task,
    backbone: findBackbone(options.backbone),
    categories,
    columns: [...(task.background ? [BACKGROUND] : []), ...categories.map(({ name }) => name)],
    size: options.size,
    params: new Map(attrs.map((parameter) => [parameter.name, initialValues(parameter, seed)])),
    parameters: new Map(attrs.map((parameter) => [parameter.name, parameter])),
    folded: [],
    count: count(roots),
  };
}

/** The same model with the values of a weights file; strict: see loadWeights, whose errors it throws. */
export async function withWeights(
  model: Model,
  uri: string,
  options: Omit<LoadOptions, 'categories'> = {},
): Promise<{ readonly model: Model; readonly report: WeightsReport }> {
  const loaded = await loadWeights(uri, [...model.parameters.values()], { ...options, categories: model.columns });
  return {
    model: { ...model, params: applyWeights(model.params, loaded), folded: loaded.folded },
    report: loaded.report,
  };
}

/** Writes the values as safetensors, in PyTorch's layout and with the categories; atomically. */
export async function saveModel(
  model: Model,
  file: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const kinds = new Map<string, ParamKind>([...model.parameters].map(([name, { kind }]) => [name, kind]));
  await saveWeights(file, model.params, { kinds, categories: model.columns, folded: model.folded, metadata });
}
