import type { EngineName } from '../engine/names.js';
import { FinetuneError } from '../errors.js';
import { describedTask } from '../evaluate/createTask.js';
import type { Tiling } from '../geometry/tiles.js';
import type { ProgressEvent } from '../progress.js';
import type {
  ClassifierDescription,
  DetectorDescription,
  ModelDescription,
  TextDescription,
} from '../tasks/description/description.js';
import { mergeDetections } from '../tasks/detection/mergeTiles.js';
import type { Task } from '../tasks/task.js';
import { mergeWords } from '../tasks/text/mergeTiles.js';
import { classesOf, objectsOf, wordsOf, type FoundClass, type FoundObject, type FoundWord } from '../tasks/found.js';
import { openPipeline, type Opened, type PipelineOptions } from './pipeline.js';
import { openModelSource } from './modelSource.js';
import { chooseThreshold, type ChosenThreshold } from '../tasks/threshold.js';

export interface OpenModelOptions {
  /** Least score of what `predict` returns (for a classifier the least probability). Default: the score with the best
   *  F1 on the validation part, which a run directory keeps; without one 0.3 for a detector, and 0 for others. */
  readonly scoreThreshold?: number;
  /** Reads images that are larger than a tile tile by tile, so that small objects are seen at their size: `size` is the
   *  side of a tile in pixels of the image, `overlap` the share that neighbours have in common (default: 0.2). Objects
   *  on a seam are found once. Not for classifiers. Default: the tiles that the model learned from (`data.tiles`), else
   *  none; false for none. */
  readonly tiles?: { readonly size: number; readonly overlap?: number } | false;
  readonly engine?: EngineName | 'auto';
  /** Threads to compute with. Default: as many as there are processors. */
  readonly threads?: number | 'auto';
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: ProgressEvent) => void;
}

interface Common {
  /** The least score of what `predict` returns, and who chose it. */
  readonly scoreThreshold: ChosenThreshold;
  /** The score with the best F1 on the validation part; undefined if it was not measured. */
  readonly measuredThreshold: number | undefined;
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
  { scoreThreshold: asked, tiles, engine = 'auto', threads, signal, onProgress }: OpenModelOptions = {},
): Promise<OpenedModel> {
  const source = await openModelSource(path, { engine, threads, signal, onProgress });
  const measuredThreshold = source.threshold;
  const scoreThreshold = chooseThreshold(source.description, asked, measuredThreshold);
  const thresholds = { scoreThreshold, measuredThreshold };
  const description = withThreshold(source.description, scoreThreshold.value);
  const { categories } = description;
  const { kind, task } = describedTask(description);
  const open = async <Prediction, Found>(one: Task<Prediction>, options: PipelineOptions<Prediction, Found>) =>
    openPipeline(await source.open(one), description, options);
  const tiling = tilingOf(tiles, description);
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
      return { task: kind, description: description as DetectorDescription, ...thresholds, ...opened };
    }
    case 'classification': {
      if (tiling) throw noTiles();
      const opened = await open(task, { present: (one) => classesOf(one, categories, scoreThreshold.value) });
      return { task: kind, description: description as ClassifierDescription, ...thresholds, ...opened };
    }
    case 'text': {
      const opened = await open(task, {
        present: (words) => wordsOf(words, scoreThreshold.value),
        tiles: tiling && { tiling, withWhole: false, merge: mergeWords },
      });
      return { task: kind, description: description as TextDescription, ...thresholds, ...opened };
    }
  }
}

function tilingOf(asked: OpenModelOptions['tiles'], { images }: ModelDescription): Tiling | undefined {
  if (asked === false) return undefined;
  return asked ? { size: asked.size, overlap: asked.overlap ?? USUAL_OVERLAP } : images.tiles;
}

/** Share of a tile that neighbours have in common. */
const USUAL_OVERLAP = 0.2;

const noTiles = (): FinetuneError =>
  new FinetuneError({
    code: 'E_USAGE',
    message: 'a classifier sees whole images: tiles are for models that find objects or words',
    fix: 'leave them out',
  });

/** A run keeps nearly all detections, to score them; whoever predicts wants those that are worth showing. */
function withThreshold(description: ModelDescription, scoreThreshold: number): ModelDescription {
  if (description.task !== 'detection') return description;
  return { ...description, selection: { ...description.selection, scoreThreshold } };
}
