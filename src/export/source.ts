import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { describedTask, type TaskScore } from '../evaluate/createTask.js';
import { locateModel } from '../predict/locateModel.js';
import { describedBy, describedModel, withoutUndefined } from '../predict/modelSource.js';
import { checkRunWeights } from '../predict/runWeights.js';
import type { ProgressEvent } from '../progress.js';
import { loadRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { recipeData, type RecipeData } from '../run/recipeData.js';
import { taskOptions } from '../run/taskOptions.js';
import type { ModelDescription } from '../tasks/description/description.js';
import type { Model } from '../tasks/model.js';
import type { Task } from '../tasks/task.js';
import { readWeights, type WeightsFile } from '../weights/read.js';

export interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** A checkpoint that is exported. */
export interface Checkpoint {
  readonly file: WeightsFile;
  readonly model: Model;
  readonly description: ModelDescription;
  /** The run directory that it lies in. */
  readonly run: string | undefined;
}

/** Reads the checkpoint that a person names: the best one of a run directory, or a file.
 *  Throws E_MODEL_PATH, E_MODEL_DESCRIPTION, E_RUN_WEIGHTS, E_EXPORT_SIZES, and what readWeights throws. */
export async function openCheckpoint(path: string, hooks: Hooks): Promise<Checkpoint> {
  const located = await locateModel(path);
  if ('folder' in located)
    throw new FinetuneError({
      code: 'E_MODEL_PATH',
      message: 'this folder holds a model that was exported already',
      where: { file: located.folder },
      fix: 'name the run that it came from, or a checkpoint of it',
    });
  const file = await readWeights(located.uri, withoutUndefined(hooks));
  const description = describedBy(file);
  await checkRunWeights(file, description);
  const { sizes } = description;
  if (sizes && sizes.length > 1)
    throw new FinetuneError({
      code: 'E_EXPORT_SIZES',
      message: `the model reads images at ${sizes.length} sizes, and an exported model has one`,
      where: { file: file.source.file },
      fix: 'train it with one size: data.size: [height, width]',
    });
  const model = describedModel(describedTask(description).task as Task, description, file);
  return { file, model, description, run: await runOf(file.source.file) };
}

async function runOf(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  const run = dirname(folder);
  const recipe = await stat(join(run, 'recipe.yaml')).catch(() => undefined);
  return basename(folder) === 'checkpoints' && recipe?.isFile() ? run : undefined;
}

/** The data of the run that a checkpoint comes from. */
export interface RunData {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  /** Scores models on this data. */
  readonly task: Task<unknown, TaskScore>;
}

/** Opens the data of the checkpoint's run. Throws E_EXPORT_DATA if that cannot be done. */
export async function openRunData({ file, description, run }: Checkpoint, hooks: Hooks): Promise<RunData> {
  if (run === undefined)
    throw noData(file.source.file, 'the checkpoint lies in no run directory, so its images are unknown');
  const place = join(run, 'recipe.yaml');
  const recipe = await loadRecipe(place);
  const data = await recipeData(recipe, hooks).catch((error: unknown) => {
    if (!(error instanceof FinetuneError)) throw error;
    throw noData(place, `the images of the run cannot be opened: ${error.problems[0]!.message}`, error);
  });
  const [trained, now] = [description.categories, data.categories].map((list) =>
    list.map(({ name }) => name).join(', '),
  );
  if (trained !== now && description.task !== 'text')
    throw noData(place, `the data has other classes now (${now}) than the checkpoint (${trained})`);
  return { recipe, data, task: taskOptions(recipe).createTask(data.categories.length) };
}

const noData = (file: string, why: string, cause?: unknown): FinetuneError =>
  new FinetuneError(
    {
      code: 'E_EXPORT_DATA',
      message: `the exported model cannot be compared with the checkpoint: ${why}`,
      where: { file },
      fix: 'bring the data back to its place, or compare the outputs alone on other images: --images FOLDER',
    },
    { cause },
  );
