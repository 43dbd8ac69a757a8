import type { TaskScore } from '../evaluate/createTask.js';
import { openBackend } from '../engine/backend.js';
import { evaluate, type Evaluation } from '../evaluate/evaluate.js';
import { openPredictor } from '../evaluate/predictor.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { recipeData } from './recipeData.js';
import { recipeImages, recipeModel } from './recipeModel.js';

export interface EvaluateRecipeOptions {
  /** Other weights than the recipe's. */
  readonly weights?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Scores the recipe's model as it is, without training, on the recipe's test part, or its validation part where it has none. */
export async function evaluateRecipe(
  recipe: Recipe,
  { weights, ...hooks }: EvaluateRecipeOptions = {},
): Promise<Evaluation<TaskScore>> {
  const backend = await openBackend({ engine: recipe.engine });
  const data = await recipeData(recipe, hooks);
  const model = await recipeModel(recipe, data.categories, { weights, onProgress: hooks.onProgress });
  const { batch } = recipe.evaluate;
  const predictor = await openPredictor(model, backend, { batch, loss: true });
  try {
    const options = { ...recipeImages(recipe), batch, ...hooks };
    return await evaluate(model, predictor, data.test ?? data.val, options);
  } finally {
    predictor.dispose();
  }
}
