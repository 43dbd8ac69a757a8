import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CategoryId } from '../data/sample.js';
import { openBackend } from '../engine/backend.js';
import { installForInference } from '../engine/install/installForInference.js';
import type { FilePort } from '../engine/file.js';
import type { EngineName } from '../engine/names.js';
import { FinetuneError } from '../errors.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { readModelFolder } from '../modelFolder/readModelFolder.js';
import type { ProgressEvent } from '../progress.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { parseDescription } from '../tasks/description/schema.js';
import type { Detection } from '../tasks/detection/detector.js';
import { readSuppressed, suppressingAt } from '../tasks/detection/suppressed.js';
import { toOriginal } from '../tasks/detection/toOriginal.js';
import { createModel, type Model } from '../tasks/model.js';
import type { Network } from '../tasks/network.js';
import type { Task } from '../tasks/task.js';
import { applyFile } from '../train/modelWeights.js';
import { readWeights, type WeightsFile } from '../weights/read.js';
import { folderFormats } from './folderFormats.js';
import { locateModel } from './locateModel.js';
import { measuredOf } from './measured.js';
import { checkRunWeights } from './runWeights.js';
import { createRunner, lanesFor, runOnBackend, type Runner } from './runner.js';

export interface SourceOptions {
  readonly engine: EngineName | 'auto';
  readonly threads?: number | 'auto' | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** A model on the disk: a checkpoint, or an exported one. */
export interface ModelSource {
  readonly description: ModelDescription;
  /** The least score with the best F1 on the validation part of its run, if that was measured. */
  readonly threshold: number | undefined;
  /** Makes it ready to run, as the model of this task. */
  open<Prediction>(task: Task<Prediction>): Promise<Runner<Prediction>>;
}

/** Finds and reads the model that a person names.
 *  Throws E_MODEL_PATH, E_MODEL_FOLDER, E_MODEL_DESCRIPTION, E_RUN_WEIGHTS, and what readWeights throws. */
export async function openModelSource(path: string, options: SourceOptions): Promise<ModelSource> {
  const located = await locateModel(path);
  if ('folder' in located) return openFolder(located.folder, options);
  const { engine, threads = 'auto', ...hooks } = options;
  const file = await readWeights(located.uri, withoutUndefined(hooks));
  const description = describedBy(file);
  await checkRunWeights(file, description);
  return {
    description,
    threshold: (await measuredOf(file.source))?.operatingPoint?.scoreThreshold,
    async open(task) {
      await installForInference(engine, hooks);
      return runOnBackend(describedModel(task, description, file), await openBackend({ engine, threads }));
    },
  };
}

/** An exported model runs in the runtime of its format, image by image. */
async function openFolder(folder: string, { engine, threads = 'auto', ...hooks }: SourceOptions): Promise<ModelSource> {
  const model = await readModelFolder(folder);
  const { card } = model;
  const description = suppressingAt(card.decode.nms?.place, model.description);
  const format = folderFormats[card.format]!;
  if (engine !== 'auto' && engine !== format.engine)
    throw new FinetuneError({
      code: 'E_USAGE',
      message: `the model in ${folder} is ${format.title}, which the engine ${engine} cannot run`,
      fix: 'leave the engine out, or name the run that the model was exported from',
    });
  return {
    description,
    threshold: card.decode.thresholds.score ?? undefined,
    async open(task) {
      await format.install(hooks);
      const isSuppressed = card.decode.nms?.place === 'in';
      if (!isSuppressed) checkOutputs(task, card.outputs, folder);
      const size = task.evaluateSize ?? task.size;
      const all = threads === 'auto' ? availableParallelism() : threads;
      return createRunner(
        { task: isSuppressed ? readingDetections(task) : task, size },
        (_model, _batch, lanes) =>
          format.open(
            model,
            { inputs: [card.input], outputs: card.outputs },
            lanes === 1 ? threads : Math.max(1, Math.floor(all / lanes)),
          ),
        { mostImages: 1, mostLanes: format.hasLanes ? await lanesFor(all) : 1 },
      );
    },
  };
}

/** The task of a detector whose model returns detections. */
function readingDetections<Prediction>(task: Task<Prediction>): Task<Prediction> {
  const { description } = task;
  const threshold = description.task === 'detection' ? description.selection.scoreThreshold : 0;
  const decode: Network<readonly Detection[]>['decode'] = (results, origins) =>
    origins.map((origin) => toOriginal(readSuppressed(results, threshold), origin));
  return { ...task, decode: decode as unknown as typeof task.decode };
}

/** The outputs that decoding reads must be there, and have the sizes that it expects. */
function checkOutputs(task: Task, given: readonly FilePort[], folder: string): void {
  const size = task.evaluateSize ?? task.size;
  const { outputs } = task.build({ batch: 1, size, trainBatchNorm: () => false });
  const wrong = Object.entries(outputs).find(
    ([name, { shape }]) => given.find((one) => one.name === name)?.shape.join() !== shape.join(),
  );
  if (!wrong) return;
  const [name, { shape }] = wrong;
  throw new FinetuneError({
    code: 'E_MODEL_FOLDER',
    message: `the card contradicts itself: the model that it describes has an output "${name}" of [${shape.join(', ')}]`,
    where: { file: join(folder, CARD_FILE) },
    fix: 'export the model again (finetune export)',
  });
}

/** The description that a weights file carries. Throws E_MODEL_DESCRIPTION if there is none. */
export function describedBy({ description, source }: WeightsFile): ModelDescription {
  if (description !== undefined) return parseDescription(description, source.file);
  throw new FinetuneError({
    code: 'E_MODEL_DESCRIPTION',
    message: 'the file does not describe its model',
    where: { file: source.file },
    fix: 'use a file that this package wrote; for other weights, createModel with their backbone and classes, then load',
  });
}

/** The model of a task that a weights file describes, with its weights. */
export function describedModel<Prediction>(
  task: Task<Prediction>,
  { categories: described, images }: ModelDescription,
  file: WeightsFile,
): Model<Prediction> {
  const categories = described.map(({ id, name }) => ({ id: id as CategoryId, name }));
  return applyFile(createModel(task, { categories, seed: 1, images }), file, { purpose: 'use' }).model;
}

/** The hooks that are set. */
export const withoutUndefined = ({ signal, onProgress }: Omit<SourceOptions, 'engine' | 'threads'>) => ({
  ...(signal && { signal }),
  ...(onProgress && { onProgress }),
});
