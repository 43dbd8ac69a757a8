/** The public API of tfjs-finetune in Node: finetune a model as a recipe says, evaluate it, and use it. */
export {
  createModel,
  type Classifier,
  type Detector,
  type LabelledBox,
  type LabelledClass,
  type LoadedModel,
  type LoadOptions,
} from './api/createModel.js';
export type { AnyModelOptions, ClassifierModelOptions, DetectorModelOptions, HeadOptions } from './api/modelOptions.js';
export { openDatasets, type DataOptions } from './data/dataset.js';
export type { Category, Dataset } from './data/sample.js';
export { FinetuneError, type Problem } from './errors.js';
export { scoreCoco, type CocoDetection } from './evaluate/coco.js';
export type { CocoScore } from './evaluate/cocoScore.js';
export { evaluateRecipe, type EvaluateRecipeOptions } from './run/evaluateRecipe.js';
export { finetune, type FinetuneOptions, type FinetuneResult } from './finetune.js';
export type { ProgressEvent } from './progress.js';
export { loadRecipe } from './recipe/load.js';
export type { Recipe } from './recipe/schema.js';
export type { Metrics } from './report/report.js';
