import type { Category } from '../data/sample.js';
import type { TaskScore } from '../evaluate/createTask.js';
import { FinetuneError } from '../errors.js';
import type { Recipe } from '../recipe/schema.js';
import { createModel, type Model, type OldModel } from '../tasks/model.js';
import { withWeights } from '../train/modelWeights.js';
import { taskOptions } from './taskOptions.js';

/** The model with the classes that the recipe's weights know, and no others. Throws E_ADD_CLASSES if the weights
 *  lack parameters of it. */
export async function loadOldModel(
  recipe: Recipe,
  categories: readonly Category[],
): Promise<{ readonly model: Model<unknown, TaskScore>; readonly sha256: string }> {
  const { allowMissing, allowUnused } = recipe.model;
  const weights = recipe.model.weights!; // recipe/addClassesRules.ts requires it
  const task = taskOptions(recipe).createTask(categories.length);
  const fresh = createModel(task, { categories, seed: recipe.seed });
  const { model, report } = await withWeights(fresh, weights, { allowMissing, allowUnused, purpose: 'use' });
  if (report.missing.length === 0) return { model, sha256: report.sha256 };
  throw new FinetuneError({
    code: 'E_ADD_CLASSES',
    option: 'model.weights',
    message: `the old model is not complete: its weights lack ${report.missing.slice(0, 5).join(', ')}`,
    fix: 'take the weights of a trained model; a backbone alone has no classes to keep',
  });
}

/** The old model whose outputs the training compares with its own; undefined if the recipe compares none. */
export async function distilledModel(recipe: Recipe, categories: readonly Category[]): Promise<OldModel | undefined> {
  const { adding } = taskOptions(recipe);
  if (!adding || (adding.weight === 0 && adding.ignoreAbove === 1)) return undefined;
  const { weight, ignoreAbove, temperature } = adding;
  const { model, sha256 } = await loadOldModel(recipe, categories);
  return { task: model.task, params: model.params, sha256, weight, ignoreAbove, temperature };
}
