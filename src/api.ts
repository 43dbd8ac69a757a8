import { createClassification, createDetection } from './evaluate/createTask.js';
import type { Category, CategoryId } from './data/sample.js';
import { openBackend, type EngineName } from './engine/backend.js';
import type { Session } from './engine/engine.js';
import { detectorDefaults } from './tasks/detection/detectorDefaults.js';
import { detectors, type DetectionOptions } from './tasks/detection/detectors.js';
import { FinetuneError } from './errors.js';
import { createModel as buildModel } from './tasks/model.js';
import { saveModel, withWeights } from './train/modelWeights.js';
import type { BackboneChoice } from './models/table.js';
import { openPredictor } from './evaluate/predictor.js';
import { topClasses, type ClassificationOptions } from './tasks/classification/classification.js';
import type { Detection } from './tasks/detection/detection.js';
import type { Task } from './tasks/task.js';
import { IMAGENET_CATEGORIES } from './categories/imagenet.js';
import type { WeightsReport } from './weights/load.js';

/** The options of each head, all of them optional: `detectorDefaults` has their defaults. */
type HeadOptions<H = DetectionOptions> = H extends { readonly head: infer Name }
  ? Partial<Omit<H, 'numClasses' | 'backbone' | 'head'>> & { readonly head?: Name }
  : never;

interface AnyModelOptions {
  /** A name of `finetune models`, e.g. tf_mobilenetv2_100, or a table. */
  readonly backbone: BackboneChoice;
  /** Names of the classes in their order, or how many there are. */
  readonly classes: readonly string[] | number;
  /** Seed of the initial values (default: 1). */
  readonly seed?: number;
  readonly engine?: EngineName | 'auto';
}

export type DetectorModelOptions = HeadOptions & AnyModelOptions & { readonly task?: 'detection' };

export interface ClassifierModelOptions
  extends Omit<AnyModelOptions, 'classes'>, Partial<Pick<ClassificationOptions, 'size'>> {
  readonly task: 'classification';
  /** Names of the classes in their order, how many there are, or ImageNet's thousand. */
  readonly classes: readonly string[] | number | 'imagenet-1k';
}

export interface LoadOptions {
  /** Patterns of parameters the file may lack, and of arrays the model may leave unused. */
  readonly allowMissing?: readonly string[];
  readonly allowUnused?: readonly string[];
}

/** A model that loads weights, predicts and saves. Call `dispose` when done. `Found` is the prediction for one
 *  image. */
export interface LoadedModel<Found> {
  readonly params: number;
  /** Multiply-adds for one image. */
  readonly macs: number;
  /** Loads a weight URI, strictly: see docs/weights.md. */
  load(uri: string, options?: LoadOptions): Promise<WeightsReport>;
  /** images [N, height, width, 3] of the model's size, RGB 0…255, row-major → a prediction for each image. Throws
   *  E_FEED. */
  predict(images: Float32Array | Uint8Array): Promise<readonly Found[]>;
  save(file: string): Promise<void>;
  dispose(): void;
}

/** Detects objects: boxes in pixels of the model's input, best first. */
export type Detector = LoadedModel<readonly (Omit<Detection, 'imageId' | 'classIndex'> & { readonly label: string })[]>;

/** Classifies images: the five most probable classes of each, best first. */
export type Classifier = LoadedModel<readonly { readonly label: string; readonly probability: number }[]>;

/** Builds a detector, or with `task: 'classification'` a classifier, with initial values.
 *  Throws E_MODEL_UNKNOWN, E_ENGINE_UNAVAILABLE. */
export function createModel(options: ClassifierModelOptions): Promise<Classifier>;
export function createModel(options: DetectorModelOptions): Promise<Detector>;
export function createModel(options: ClassifierModelOptions | DetectorModelOptions): Promise<Classifier | Detector> {
  return options.task === 'classification' ? createClassifier(options) : createDetector(options);
}

function createDetector({ classes, engine, seed, ...options }: DetectorModelOptions): Promise<Detector> {
  const names = namesOf(classes);
  const filled = { ...detectorDefaults[options.head ?? detectors[0].name], ...options, numClasses: names.length };
  // The type cannot express that defaults and options are of the same head.
  const task = createDetection(filled as DetectionOptions);
  return openModel(task, { names, engine, seed }, (found) =>
    found.map(({ box, score, classIndex }) => ({ box, score, label: names[classIndex]! })),
  );
}

/** The input size at which most published classifiers were trained. */
const CLASSIFIER_SIZE = [224, 224] as const;
/** Number of classes that a classifier returns. */
const SHOWN = 5;

function createClassifier(options: ClassifierModelOptions): Promise<Classifier> {
  const { backbone, classes, engine, seed, size = CLASSIFIER_SIZE } = options;
  const names = classes === 'imagenet-1k' ? IMAGENET_CATEGORIES.map(({ name }) => name) : namesOf(classes);
  const plain = { labelSmoothing: 0, dropout: 0, stochasticDepth: 0 };
  const task = createClassification({ ...plain, backbone, size, numClasses: names.length });
  return openModel(task, { names, engine, seed }, ({ probabilities }) =>
    topClasses(probabilities, SHOWN).map((index) => ({ label: names[index]!, probability: probabilities[index]! })),
  );
}

const namesOf = (classes: readonly string[] | number): readonly string[] =>
  typeof classes === 'number' ? Array.from({ length: classes }, (_, i) => `class ${i}`) : classes;

interface Opening {
  readonly names: readonly string[];
  readonly engine?: EngineName | 'auto' | undefined;
  readonly seed?: number | undefined;
}

async function openModel<Prediction, Found>(
  task: Task<Prediction>,
  { names, engine = 'auto', seed = 1 }: Opening,
  present: (prediction: Prediction) => Found,
): Promise<LoadedModel<Found>> {
  const categories = names.map((name, i): Category => ({ id: (i + 1) as CategoryId, name }));
  const backend = await openBackend({ engine });
  let model = buildModel(task, { categories, seed });
  let open: { readonly batch: number; readonly session: Session } | undefined;
  const close = (): void => {
    open?.session.dispose();
    open = undefined;
  };
  const [height, width] = model.size;
  const whole = {
    placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
    originalWidth: width,
    originalHeight: height,
  };
  return {
    params: model.count.params,
    macs: model.count.macs,
    async load(uri, { allowMissing = [], allowUnused = [] } = {}) {
      const loaded = await withWeights(model, uri, { allowMissing, allowUnused });
      close();
      model = loaded.model;
      return loaded.report;
    },
    async predict(images) {
      const batch = images.length / (height * width * 3);
      if (!Number.isInteger(batch) || batch === 0) {
        throw new FinetuneError({
          code: 'E_FEED',
          message: `predict wants [N, ${height}, ${width}, 3]; got ${images.length} values`,
        });
      }
      if (open?.batch !== batch) {
        close();
        open = { batch, session: await openPredictor(model, backend, { batch }) };
      }
      const results = await open.session.run('evaluate', { image: Float32Array.from(images) });
      const origins = Array.from({ length: batch }, (_, imageId) => ({ imageId, ...whole }));
      return model.task.decode(results, origins).map(present);
    },
    save: (file) => saveModel(model, file),
    dispose: close,
  };
}
