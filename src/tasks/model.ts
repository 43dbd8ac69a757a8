import type { Category } from '../data/sample.js';
import { isOp } from '../graph/builder.js';
import { count, type Count } from '../graph/count.js';
import { initialValues } from '../graph/init.js';
import type { Params } from '../graph/params.js';
import { ancestors } from '../graph/rewrite.js';
import type { ParamAttrs, Shape } from '../graph/spec.js';
import type { Backbone } from '../models/backbone.js';
import type { OldAnswers } from './distillation.js';
import type { Score } from './evaluator.js';
import type { Task } from './task.js';

/** The model as it was before it got classes besides those it knew: what it says is held against what it learns, and nothing changes it. */
export interface OldModel extends Pick<OldAnswers, 'weight' | 'ignoreAbove' | 'temperature'> {
  readonly task: Pick<Task, 'build'>;
  readonly params: Params;
  /** Of the weights' file. */
  readonly sha256: string;
}

/** A network with its parameters' values, on no engine yet. */
export interface Model<Prediction = unknown, S extends Score = Score> {
  readonly task: Task<Prediction, S>;
  readonly backbone: Backbone;
  readonly categories: readonly Category[];
  /** What the class predictor's columns stand for: the categories' names, after the background's with a detector's softmax. */
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
  /** In training alone. */
  readonly old?: OldModel;
}

/** Builds a task's model with initial values from the seed. */
export function createModel<Prediction, S extends Score>(
  task: Task<Prediction, S>,
  { categories, seed }: { readonly categories: readonly Category[]; readonly seed: number },
): Model<Prediction, S> {
  const { backbone, size } = task;
  const { outputs } = task.build({ batch: 1, size, trainBatchNorm: () => false });
  const roots = Object.values(outputs);
  const attrs = ancestors(roots).flatMap((node) => (isOp(node, 'param') ? [node.attrs] : []));
  return {
    task,
    backbone,
    categories,
    columns: task.columns(categories.map(({ name }) => name)),
    size,
    params: new Map(attrs.map((parameter) => [parameter.name, initialValues(parameter, seed)])),
    parameters: new Map(attrs.map((parameter) => [parameter.name, parameter])),
    folded: [],
    count: count(roots),
  };
}
