import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { CategoryId } from '../data/sample.js';
import { openBackend } from '../engine/backend.js';
import { ENGINES, type EngineName } from '../engine/names.js';
import { FinetuneError } from '../errors.js';
import { describedTask } from '../evaluate/createTask.js';
import { fraction } from '../optionValues.js';
import type { ProgressEvent } from '../progress.js';
import { topClasses } from '../tasks/classification/classification.js';
import type {
  ClassifierDescription,
  DetectorDescription,
  ModelDescription,
  TextDescription,
} from '../tasks/description/description.js';
import { parseDescription } from '../tasks/description/schema.js';
import { createModel } from '../tasks/model.js';
import type { Task } from '../tasks/task.js';
import { applyFile } from '../train/modelWeights.js';
import { readWeights, type WeightsFile } from '../weights/read.js';
import { checkArgument, checkText, hooks } from './arguments.js';
import { SHOWN } from './createModel.js';
import { checkImage, readImage, type ImageInput } from './image.js';
import { createRunner } from './runner.js';

export interface OpenModelOptions {
  /** Least score of a detection (default: 0.05, or the threshold of the model if it is higher). */
  readonly scoreThreshold?: number;
  readonly engine?: EngineName | 'auto';
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: ProgressEvent) => void;
}

/** What the models of all tasks can do. */
export interface Opened<Found> {
  /** Reads an image as in training and predicts: the path of a file, its bytes, or pixels. Results are in pixels of
   *  the image as a person sees it (EXIF applied), best first.
   *  Throws E_FEED, E_IMAGE_MISSING, E_IMAGE_DECODE, and E_MODEL_DISPOSED after `dispose`. */
  predict(image: ImageInput): Promise<readonly Found[]>;
  dispose(): void;
}

/** An object that was found. */
export interface FoundObject {
  readonly category: string;
  readonly categoryId: number;
  /** 0…1. */
  readonly score: number;
  /** x, y, width, height in pixels of the image. */
  readonly box: readonly [number, number, number, number];
}

/** A class of the image and its probability. */
export interface FoundClass {
  readonly category: string;
  readonly categoryId: number;
  readonly probability: number;
}

/** A word that was found. */
export interface FoundWord {
  readonly score: number;
  /** Corners in pixels of the image, clockwise from the top of the first letter. */
  readonly polygon: readonly (readonly [number, number])[];
}

export interface OpenedDetector extends Opened<FoundObject> {
  readonly task: 'detection';
  readonly description: DetectorDescription;
}
/** `predict` returns the five most probable classes. */
export interface OpenedClassifier extends Opened<FoundClass> {
  readonly task: 'classification';
  readonly description: ClassifierDescription;
}
export interface OpenedTextDetector extends Opened<FoundWord> {
  readonly task: 'text';
  readonly description: TextDescription;
}
/** A trained model; `task` tells the kinds apart. */
export type OpenedModel = OpenedDetector | OpenedClassifier | OpenedTextDetector;

const optionsSchema = z.strictObject({
  ...hooks,
  scoreThreshold: fraction.optional(),
  engine: z.enum(['auto', ...ENGINES]).optional(),
});

/** Opens a trained model: a run directory (its best weights), or a safetensors file that this package wrote, which
 *  describes its model. Call `dispose` when done.
 *  Throws E_USAGE, E_MODEL_DESCRIPTION if the file does not describe a model, E_WEIGHTS_…, E_ENGINE_UNAVAILABLE. */
export async function openModel(path: string, given: OpenModelOptions = {}): Promise<OpenedModel> {
  checkText('path', path);
  const { scoreThreshold, engine = 'auto', signal, onProgress } = checkArgument('options', optionsSchema, given);
  const file = await readWeights(await uriOf(path), {
    ...(signal && { signal }),
    ...(onProgress && { onProgress: onProgress as (event: ProgressEvent) => void }),
  });
  const description = withThreshold(readDescription(file), scoreThreshold);
  const { kind, task } = describedTask(description);
  const open = <Prediction, Found>(one: Task<Prediction>, present: (prediction: Prediction) => readonly Found[]) =>
    openTask(one, description, file, { engine, present });
  const category = (index: number) => {
    const { id, name } = description.categories[index]!;
    return { category: name, categoryId: id };
  };
  switch (kind) {
    case 'detection': {
      const opened = await open(task, (found) =>
        found.map(({ box: [x1, y1, x2, y2], score, classIndex }): FoundObject => {
          return { ...category(classIndex), score, box: [x1, y1, x2 - x1, y2 - y1] };
        }),
      );
      return { task: kind, description: description as DetectorDescription, ...opened };
    }
    case 'classification': {
      const opened = await open(task, ({ probabilities }) =>
        topClasses(probabilities, SHOWN).map((index): FoundClass => {
          return { ...category(index), probability: probabilities[index]! };
        }),
      );
      return { task: kind, description: description as ClassifierDescription, ...opened };
    }
    case 'text': {
      const opened = await open(task, (words) =>
        words.map(({ outline, score }): FoundWord => ({ score, polygon: pointsOf(outline) })),
      );
      return { task: kind, description: description as TextDescription, ...opened };
    }
  }
}

/** A folder is a run; what is no file here may be a weight URI. */
async function uriOf(path: string): Promise<string> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry) return path;
  return entry.isDirectory() ? `run:${path}` : `file:${path}`;
}

function readDescription({ description, source }: WeightsFile): ModelDescription {
  if (description !== undefined) return parseDescription(description, source.file);
  throw new FinetuneError({
    code: 'E_MODEL_DESCRIPTION',
    message: 'the file does not describe its model',
    where: { file: source.file },
    fix: 'use a file that this package wrote; for other weights, createModel with their backbone and classes, then load',
  });
}

/** A run keeps nearly all detections, to score them; a program wants those that are worth showing. */
const LEAST_SCORE = 0.05;

function withThreshold(description: ModelDescription, asked: number | undefined): ModelDescription {
  if (description.task !== 'detection') return description;
  const { selection } = description;
  const scoreThreshold = asked ?? Math.max(LEAST_SCORE, selection.scoreThreshold);
  return { ...description, selection: { ...selection, scoreThreshold } };
}

const pointsOf = (outline: readonly number[]): [number, number][] =>
  Array.from({ length: outline.length / 2 }, (_, i) => [outline[2 * i]!, outline[2 * i + 1]!]);

interface TaskOptions<Prediction, Found> {
  readonly engine: EngineName | 'auto';
  readonly present: (prediction: Prediction) => readonly Found[];
}

async function openTask<Prediction, Found>(
  task: Task<Prediction>,
  description: ModelDescription,
  file: WeightsFile,
  { engine, present }: TaskOptions<Prediction, Found>,
): Promise<Opened<Found>> {
  const { images } = description;
  const categories = description.categories.map(({ id, name }) => ({ id: id as CategoryId, name }));
  const { model } = applyFile(createModel(task, { categories, seed: 1, images }), file, { purpose: 'use' });
  const runner = createRunner(model, await openBackend({ engine }));
  return {
    async predict(given) {
      const image = checkImage(given);
      return runner.inTurn(async (turn) => {
        const { pixels, size, origin } = await readImage(image, description);
        const results = await turn.run(pixels, 1, size);
        return model.task.decode(results, [origin]).flatMap(present);
      });
    },
    dispose: () => {
      runner.dispose();
    },
  };
}
