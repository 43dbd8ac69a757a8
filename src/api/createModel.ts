import { z } from 'zod';
import { numberCategories } from '../data/categories.js';
import type { Category } from '../data/sample.js';
import { openBackend } from '../engine/backend.js';
import { createClassification, createDetection } from '../evaluate/createTask.js';
import { names } from '../optionValues.js';
import { topClasses } from '../tasks/classification/probabilities.js';
import type { Detection } from '../tasks/detection/detector.js';
import { createModel as buildModel, type Model } from '../tasks/model.js';
import type { Task } from '../tasks/task.js';
import { applyFile, saveModel } from '../train/modelWeights.js';
import type { WeightsReport } from '../weights/load.js';
import { readWeights } from '../weights/read.js';
import { checkArgument, checkText } from './arguments.js';
import {
  readModelOptions,
  type ClassifierModelOptions,
  type DetectorModelOptions,
  type ModelOptions,
} from './modelOptions.js';
import { checkPixels } from './pixels.js';
import { SHOWN } from '../tasks/found.js';
import { runOnBackend, type Turn } from '../predict/runner.js';

export interface LoadOptions {
  /** Patterns of parameters the file may lack, and of arrays the model may leave unused. */
  readonly allowMissing?: readonly string[];
  readonly allowUnused?: readonly string[];
}

/** A model that loads weights, predicts and saves. Calls are worked off one after the other. Call `dispose` when done:
 *  calls after it throw E_MODEL_DISPOSED. `Found` is the prediction for one image. */
export interface LoadedModel<Found> {
  readonly params: number;
  /** Multiply-adds for one image. */
  readonly macs: number;
  /** Loads a weight URI, strictly: see docs/weights.md. A file of another model is refused (E_WEIGHTS_MODEL), and so
   *  is one that does not know a class, unless `allowMissing` names the parameters that may stay random. Where the
   *  model was created with a number of classes, it takes the file's names. */
  load(uri: string, options?: LoadOptions): Promise<WeightsReport>;
  /** images [N, height, width, 3] of the model's size, RGB 0…255, row-major → a prediction for each image. Throws
   *  E_FEED. */
  predict(images: Float32Array | Uint8Array | Uint8ClampedArray): Promise<readonly Found[]>;
  /** Writes the weights with the description of the model as safetensors, which `openModel` reads. */
  save(file: string): Promise<void>;
  dispose(): void;
}

/** An object that a detector found: x1, y1, x2, y2 in pixels of the model's input, and a score in 0…1. */
export interface LabelledBox extends Pick<Detection, 'box' | 'score'> {
  readonly label: string;
}

/** A class and its probability. */
export interface LabelledClass {
  readonly label: string;
  readonly probability: number;
}

/** Detects objects: boxes in pixels of the model's input, best first. */
export type Detector = LoadedModel<readonly LabelledBox[]>;

/** Classifies images: the five most probable classes of each, best first. */
export type Classifier = LoadedModel<readonly LabelledClass[]>;

/** Builds a detector, or with `task: 'classification'` a classifier, with initial values. `openModel` opens one that was
 *  trained.
 *  Throws E_USAGE with every option that is wrong, E_MODEL_UNKNOWN, E_MODEL_SIZE, E_ENGINE_UNAVAILABLE. */
export function createModel(options: ClassifierModelOptions): Promise<Classifier>;
export function createModel(options: DetectorModelOptions): Promise<Detector>;
export async function createModel(
  given: ClassifierModelOptions | DetectorModelOptions,
): Promise<Classifier | Detector> {
  const read = readModelOptions(given);
  if (read.task === 'classification') {
    return loadable(createClassification(read.options), read, ({ probabilities }, names) =>
      topClasses(probabilities, SHOWN).map((index) => ({ label: names[index]!, probability: probabilities[index]! })),
    );
  }
  return loadable(createDetection(read.options), read, (found, names) =>
    found.map(({ box, score, classIndex }) => ({ box, score, label: names[classIndex]! })),
  );
}

const loadOptions = z.strictObject({ allowMissing: names.optional(), allowUnused: names.optional() });

async function loadable<Prediction, Found>(
  task: Task<Prediction>,
  { names: classNames, numbered, seed, engine }: ModelOptions,
  present: (prediction: Prediction, names: readonly string[]) => Found,
): Promise<LoadedModel<Found>> {
  const model = buildModel(task, { categories: numberCategories(classNames), seed });
  const runner = await runOnBackend(model, await openBackend({ engine }));
  return {
    params: model.count.params,
    macs: model.count.macs,
    async load(uri, options = {}) {
      checkText('uri', uri);
      const { allowMissing = [], allowUnused = [] } = checkArgument('options', loadOptions, options);
      return runner.inTurn(async (turn) => {
        const file = await readWeights(uri);
        const fitting = numbered ? withNames(turn.model, file.categories) : turn.model;
        const loaded = applyFile(fitting, file, { allowMissing, allowUnused, purpose: 'use' });
        turn.replace(loaded.model);
        return loaded.report;
      });
    },
    async predict(images) {
      const { pixels, batch } = checkPixels(images, model.size);
      return runner.inTurn(async (turn) => {
        const names = turn.model.categories.map(({ name }) => name);
        return (await predictInParts(turn, pixels, batch)).map((one) => present(one, names));
      });
    },
    async save(file) {
      checkText('file', file);
      return runner.inTurn(({ model: current }) => saveModel(current, file));
    },
    dispose: () => {
      runner.dispose();
    },
  };
}

/** The model with the names of a file that has a column for each of its classes. */
function withNames<P>(model: Model<P>, columns: readonly string[] | undefined): Model<P> {
  if (columns?.length !== model.columns.length) return model;
  const background = columns.length - model.categories.length;
  const categories: readonly Category[] = numberCategories(columns.slice(background));
  const own = model.task.columns(categories.map(({ name }) => name));
  if (own.some((name, i) => name !== columns[i])) return model; // only one of the two has a background
  const described = categories.map(({ id, name }) => ({ id, name }));
  return { ...model, categories, columns: own, description: { ...model.description, categories: described } };
}

/** Images per call of the engine at most, so that memory does not grow with the number of images. */
const MOST_IMAGES = 64;

async function predictInParts<Prediction>(
  turn: Turn<Prediction>,
  pixels: ArrayLike<number> & { subarray(begin: number, end: number): ArrayLike<number> },
  batch: number,
): Promise<Prediction[]> {
  const { model } = turn;
  const [height, width] = model.size;
  const stride = height * width * 3;
  const whole = {
    placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
    originalWidth: width,
    originalHeight: height,
  };
  const found: Prediction[] = [];
  for (let from = 0; from < batch; from += MOST_IMAGES) {
    const count = Math.min(MOST_IMAGES, batch - from);
    const part = pixels.subarray(from * stride, (from + count) * stride);
    const results = await turn.run(Float32Array.from(part), count);
    const origins = Array.from({ length: count }, (_, i) => ({ imageId: from + i, ...whole }));
    found.push(...model.task.decode(results, origins));
  }
  return found;
}
