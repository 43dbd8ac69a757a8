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
export { exportDemo } from './api/exportDemo.js';
export { exportModel } from './api/exportModel.js';
export { evaluateRecipe, finetune, loadRecipe, openDatasets, scoreCoco } from './api/functions.js';
export type { AnyModelOptions, ClassifierModelOptions, DetectorModelOptions, HeadOptions } from './api/modelOptions.js';
export { openModel } from './api/openModel.js';
export { bench } from './api/bench.js';
export { verifyBundle, writeBundle } from './api/bundle.js';
export { serve } from './api/serve.js';
export type { DataOptions, Datasets, OpenDataOptions } from './data/dataset.js';
export type { Pixels } from './data/image/image.js';
export type {
  Annotation,
  BoxAnnotation,
  Category,
  CategoryId,
  ClassIndex,
  CocoGroundTruth,
  Dataset,
  Dropped,
  OldImages,
  TextAnnotation,
  TextWord,
  WholeImageAnnotation,
} from './data/sample.js';
export type { EngineName } from './engine/names.js';
export { FinetuneError, type Problem, type Where } from './errors.js';
export type { CocoDetection, CocoPair } from './evaluate/coco.js';
export type { ClassificationScore } from './evaluate/classificationScore.js';
export type { CocoScore } from './evaluate/cocoScore.js';
export type { TaskScore } from './evaluate/createTask.js';
export type { Evaluation } from './evaluate/evaluate.js';
export type { IcdarScore } from './evaluate/hmean.js';
export type { FinetuneOptions, FinetuneResult } from './finetune.js';
export type { DemoOptions, ExportedDemo } from './export/demo/exportDemo.js';
export type { Exported, ExportOptions } from './export/exportModel.js';
export type { Activation } from './graph/blocks.js';
export type { Rgb } from './models/backbone.js';
export type { BackboneChoice, BackboneTable, TableRow } from './models/table.js';
export type { ModelCard } from './modelFolder/card.js';
export type { FoundClass, FoundObject, FoundWord } from './tasks/found.js';
export type {
  OpenedClassifier,
  OpenedDetector,
  OpenedModel,
  OpenedTextDetector,
  OpenModelOptions,
} from './predict/openModel.js';
export type { Opened, PredictAllOptions, Predicted, RawOutput } from './predict/pipeline.js';
export type { ImageInput } from './predict/readImage.js';
export type { ChosenThreshold } from './tasks/threshold.js';
export type { LogLine, ProgressEvent, ProgressStep } from './progress.js';
export type { LoadOptions as LoadRecipeOptions } from './recipe/load.js';
export type { COCO, IouType } from './pycocotools/index.js';
export type { BenchOptions } from './bench/bench.js';
export type { BenchReport } from './report/speed.js';
export type { Bundled, BundleOptions } from './bundle/writeBundle.js';
export type { Verified, VerifyOptions } from './bundle/verifyBundle.js';
export type { Serving } from './serve/serve.js';
export type { ServeOptions } from './serve/options.js';
export type { Served } from './serve/host.js';
export type { Recipe } from './recipe/schema.js';
export type { BestEpoch } from './report/charts.js';
export type { Metrics } from './report/report.js';
export type { EvaluateRecipeOptions } from './run/evaluateRecipe.js';
export type {
  ClassifierDescription,
  ConventionsDescription,
  Described,
  DetectorDescription,
  HeadDescription,
  ImageDescription,
  ModelDescription,
  TextDescription,
} from './tasks/description/description.js';
export type { ClassificationOptions } from './tasks/classification/classification.js';
export type { Detection } from './tasks/detection/detector.js';
export type { DetectionOptions } from './tasks/detection/detectors.js';
export type { SelectOptions } from './tasks/detection/options.js';
export type { OperatingPoint, Score, Scored, SectionOptions } from './tasks/evaluator.js';
export type { Section } from './tasks/section.js';
export type { TextThresholds } from './tasks/text/textBoxes.js';
export type { WeightsReport } from './weights/load.js';
