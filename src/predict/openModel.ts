import type { CategoryId } from '../data/sample.js';
import { openBackend } from '../engine/backend.js';
import { installForInference } from '../engine/install/installForInference.js';
import type { EngineName } from '../engine/names.js';
import { FinetuneError } from '../errors.js';
import { describedTask } from '../evaluate/createTask.js';
import type { ProgressEvent } from '../progress.js';
import type {
  ClassifierDescription,
  DetectorDescription,
  ModelDescription,
  TextDescription,
} from '../tasks/description/description.js';
import { parseDescription } from '../tasks/description/schema.js';
import { mergeDetections } from '../tasks/detection/mergeTiles.js';
import { createModel } from '../tasks/model.js';
import type { Task } from '../tasks/task.js';
import { mergeWords } from '../tasks/text/mergeTiles.js';
import { applyFile } from '../train/modelWeights.js';
import { readWeights, type WeightsFile } from '../weights/read.js';
import { classesOf, objectsOf, wordsOf, type FoundClass, type FoundObject, type FoundWord } from './found.js';
import { locateModel } from './locateModel.js';
import { openPipeline, type Opened, type PipelineOptions } from './pipeline.js';
import { createRunner } from './runner.js';
import { chooseThreshold, type ChosenThreshold } from './threshold.js';

export interface OpenModelOptions {
  /** Least score of what `predict` returns (for a classifier the least probability). Default: the score with the best
   *  F1 on the validation part, which a run directory keeps; without one 0.3 for a detector, and 0 for others. */
  readonly scoreThreshold?: number;
  /** Reads images that are larger than a tile tile by tile, so that small objects are seen at their size: `size` is the
   *  side of a tile in pixels of the image, `overlap` the share that neighbours have in common (default: 0.2). Objects
   *  on a seam are found once. Not for classifiers. */
  readonly tiles?: { readonly size: number; readonly overlap?: number };
  readonly engine?: EngineName | 'auto';
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: ProgressEvent) => void;
}

interface Common {
  /** The least score of what `predict` returns, and who chose it. */
  readonly scoreThreshold: ChosenThreshold;
}
export interface OpenedDetector extends Opened<FoundObject>, Common {
  readonly task: 'detection';
  readonly description: DetectorDescription;
}
/** `predict` returns the five most probable classes. */
export interface OpenedClassifier extends Opened<FoundClass>, Common {
  readonly task: 'classification';
  readonly description: ClassifierDescription;
}
export interface OpenedTextDetector extends Opened<FoundWord>, Common {
  readonly task: 'text';
  readonly description: TextDescription;
}
/** A trained model; `task` tells the kinds apart. */
export type OpenedModel = OpenedDetector | OpenedClassifier | OpenedTextDetector;

/** Opens a trained model: see openModel of the API. */
export async function openModel(
  path: string,
  { scoreThreshold: asked, tiles, engine = 'auto', signal, onProgress }: OpenModelOptions = {},
): Promise<OpenedModel> {
  const file = await readWeights(await locateModel(path), {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  const written = readDescription(file);
  const scoreThreshold = await chooseThreshold(path, written, asked);
  const description = withThreshold(written, scoreThreshold.value);
  const { categories } = description;
  const { kind, task } = describedTask(description);
  const open = <Prediction, Found>(one: Task<Prediction>, options: PipelineOptions<Prediction, Found>) =>
    openTask(one, description, file, { engine, ...options });
  await installForInference(engine, { signal, onProgress });
  const tiling = tiles && { size: tiles.size, overlap: tiles.overlap ?? USUAL_OVERLAP };
  switch (kind) {
    case 'detection': {
      const { selection } = description as DetectorDescription;
      const opened = await open(task, {
        present: (found) => objectsOf(found, categories),
        tiles: tiling && {
          tiling,
          withWhole: true,
          merge: (parts, image) => mergeDetections(parts, image, selection, tiling.size * tiling.overlap),
        },
      });
      return { task: kind, description: description as DetectorDescription, scoreThreshold, ...opened };
    }
    case 'classification': {
      if (tiling) throw noTiles();
      const opened = await open(task, { present: (one) => classesOf(one, categories, scoreThreshold.value) });
      return { task: kind, description: description as ClassifierDescription, scoreThreshold, ...opened };
    }
    case 'text': {
      const opened = await open(task, {
        present: (words) => wordsOf(words, scoreThreshold.value),
        tiles: tiling && { tiling, withWhole: false, merge: mergeWords },
      });
      return { task: kind, description: description as TextDescription, scoreThreshold, ...opened };
    }
  }
}

/** Share of a tile that neighbours have in common. */
const USUAL_OVERLAP = 0.2;

const noTiles = (): FinetuneError =>
  new FinetuneError({
    code: 'E_USAGE',
    message: 'a classifier sees whole images: tiles are for models that find objects or words',
    fix: 'leave them out',
  });

function readDescription({ description, source }: WeightsFile): ModelDescription {
  if (description !== undefined) return parseDescription(description, source.file);
  throw new FinetuneError({
    code: 'E_MODEL_DESCRIPTION',
    message: 'the file does not describe its model',
    where: { file: source.file },
    fix: 'use a file that this package wrote; for other weights, createModel with their backbone and classes, then load',
  });
}

/** A run keeps nearly all detections, to score them; whoever predicts wants those that are worth showing. */
function withThreshold(description: ModelDescription, scoreThreshold: number): ModelDescription {
  if (description.task !== 'detection') return description;
  return { ...description, selection: { ...description.selection, scoreThreshold } };
}

async function openTask<Prediction, Found>(
  task: Task<Prediction>,
  description: ModelDescription,
  file: WeightsFile,
  { engine, ...options }: PipelineOptions<Prediction, Found> & { readonly engine: EngineName | 'auto' },
): Promise<Opened<Found>> {
  const { images } = description;
  const categories = description.categories.map(({ id, name }) => ({ id: id as CategoryId, name }));
  const { model } = applyFile(createModel(task, { categories, seed: 1, images }), file, { purpose: 'use' });
  return openPipeline(createRunner(model, await openBackend({ engine })), description, options);
}
