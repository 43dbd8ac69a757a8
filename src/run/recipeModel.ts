import type { TaskScore } from '../evaluate/createTask.js';
import type { ProgressEvent } from '../progress.js';
import { blaming } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import { createModel, type Model } from '../tasks/model.js';
import { withWeights } from '../train/modelWeights.js';
import { distilledModel } from './oldModel.js';
import { describeRandomStart } from './startingWeights.js';
import type { RecipeData } from './recipeData.js';
import { describeImages, taskOptions } from './taskOptions.js';

export interface RecipeModelOptions {
  /** Weights to load instead of the recipe's. */
  readonly weights?: string | undefined;
  /** Whether the model is trained further, or used as it is. Default: start. */
  readonly purpose?: 'start' | 'use' | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The recipe's model for its data, with its starting weights, and what of it starts at random. Throws E_MODEL_UNKNOWN, E_ADD_CLASSES and what
 *  loadWeights throws. */
export async function recipeModel(
  recipe: Recipe,
  { categories, train, old }: Pick<RecipeData, 'categories' | 'train' | 'old'>,
  { weights, purpose, signal, onProgress }: RecipeModelOptions = {},
): Promise<{ readonly model: Model<unknown, TaskScore>; readonly start: readonly string[] }> {
  const { allowMissing, allowUnused } = recipe.model;
  const task = await blaming('model', () => taskOptions(recipe).createTask(categories.length, train));
  const fresh = createModel(task, { categories, seed: recipe.seed, images: describeImages(recipe) });
  const uri = weights ?? recipe.model.weights;
  if (!uri) return { model: fresh, start: describeRandomStart(fresh, undefined) };
  const hooks = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  const load = () => withWeights(fresh, uri, { allowMissing, allowUnused, purpose, ...hooks });
  const { model, report } = await (weights === undefined ? blaming('model.weights', load) : load());
  for (const message of describeReport(report)) onProgress?.({ message });
  const before = old && (await distilledModel(recipe, old.categories));
  return { model: before ? { ...model, old: before } : model, start: describeRandomStart(model, report) };
}

type WeightsReport = Awaited<ReturnType<typeof withWeights>>['report'];

function describeReport({ uri, loaded, missing, unused, adapted }: WeightsReport): string[] {
  const counts = `weights: ${loaded.length} loaded, ${missing.length} missing, ${unused.length} unused (${uri})`;
  const [first, ...others] = adapted;
  if (!first) return [counts];
  return [counts, `  ${first}${others.length > 0 ? ` (and ${others.length} more of this kind)` : ''}`];
}
