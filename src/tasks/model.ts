import type { Category } from '../data/sample.js';
import { isOp } from '../graph/builder.js';
import { FinetuneError } from '../errors.js';
import { count, type Count } from '../graph/count.js';
import { initialValues } from '../graph/init.js';
import type { Params } from '../graph/params.js';
import { ancestors } from '../graph/rewrite.js';
import { sizeOf } from '../graph/shapes.js';
import type { ParamAttrs, Shape } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import { describeModel, type ImageDescription, type ModelDescription } from './description/description.js';
import type { OldAnswers } from './distillation.js';
import type { Score } from './evaluator.js';
import type { Task } from './task.js';

/** The model as it was before classes were added. It is never changed; training compares the new model's outputs with
 *  its outputs. */
export interface OldModel extends Pick<OldAnswers, 'weight' | 'ignoreAbove' | 'temperature'> {
  readonly task: Pick<Task, 'build'>;
  readonly params: Params;
  /** Hash of the file that its weights came from. */
  readonly sha256: string;
}

/** A network and the values of its parameters, before they are on an engine. */
export interface Model<Prediction = unknown, S extends Score = Score> {
  readonly task: Task<Prediction, S>;
  readonly backbone: Backbone;
  readonly categories: readonly Category[];
  /** What the model is built from; it is written into the files of its weights. */
  readonly description: ModelDescription;
  /** Names of the class predictor's columns: the categories, and with the softmax of a detector the background before
   *  them. */
  readonly columns: readonly string[];
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  readonly params: Params;
  /** The attributes and the shape of each parameter, including BatchNorm's statistics. */
  readonly parameters: ReadonlyMap<string, ParamAttrs & { readonly shape: Shape }>;
  /** BatchNorms whose statistics the file of weights did not have. They have no effect until train/calibrate.ts
   *  measures them. */
  readonly folded: readonly string[];
  /** Parameters and multiply-adds for one image. */
  readonly count: Count;
  /** Set only in training, where classes are added to an old model. */
  readonly old?: OldModel;
}

interface Making {
  readonly categories: readonly Category[];
  /** Seed of the initial values. */
  readonly seed: number;
  /** How images are read; default: as the task's recipes do unless told otherwise. */
  readonly images?: ImageDescription | undefined;
}

/** Values of all parameters at most: 4 GiB. */
const MOST_VALUES = 2 ** 30;

/** Makes a model of the task, with initial values drawn from the seed. Throws E_MODEL_SIZE if it is too large. */
export function createModel<Prediction, S extends Score>(
  task: Task<Prediction, S>,
  { categories, seed, images }: Making,
): Model<Prediction, S> {
  const { backbone, size } = task;
  const { outputs, loss } = task.build({ batch: 1, size, trainBatchNorm: () => false });
  const roots = Object.values(outputs);
  const all = [...roots, loss().total]; // a branch that only training needs has parameters, too
  const attrs = ancestors(all).flatMap((node) => (isOp(node, 'param') ? [node.attrs] : []));
  const values = attrs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (values > MOST_VALUES) {
    const message = `the model would have ${values.toPrecision(3)} parameters, which do not fit into memory`;
    throw new FinetuneError({ code: 'E_MODEL_SIZE', message, fix: 'lower its channels, units or classes' });
  }
  return {
    task,
    backbone,
    categories,
    description: describeModel(task.description, categories, images),
    columns: task.columns(categories.map(({ name }) => name)),
    size,
    params: new Map(attrs.map((parameter) => [parameter.name, initialValues(parameter, seed)])),
    parameters: new Map(attrs.map((parameter) => [parameter.name, parameter])),
    folded: [],
    count: count(roots),
  };
}
