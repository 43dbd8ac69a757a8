import type { TaskScore } from '../evaluate/createTask.js';
import { evaluate, type Evaluation } from '../evaluate/evaluate.js';
import { openPredictor } from '../evaluate/predictor.js';
import type { ProgressEvent } from '../progress.js';
import type { Recipe } from '../recipe/schema.js';
import { withRecipe } from './openRecipe.js';
import { taskOptions } from './taskOptions.js';

export interface EvaluateRecipeOptions {
  /** Weights to score instead of the recipe's. */
  readonly weights?: string | undefined;
  /** Directory of the run that trained the weights: images stay in the parts into which it divided them. */
  readonly dividedBy?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Scores the recipe's model as it is, without training, on the recipe's test part, or on its validation part where
 *  it has no test part.
 *  Throws the signal's reason when aborted. */
export const evaluateRecipe = (recipe: Recipe, options: EvaluateRecipeOptions = {}): Promise<Evaluation<TaskScore>> =>
  withRecipe(recipe, { ...options, purpose: 'use' }, async ({ backend, data, model }) => {
    const { batch } = recipe.evaluate;
    const { signal, onProgress } = options;
    const predictor = await openPredictor(model, backend, { batch, loss: true });
    try {
      const how = { ...taskOptions(recipe).images, batch, signal, onProgress };
      return await evaluate(model, predictor, data.test ?? data.val, how);
    } finally {
      predictor.dispose();
    }
  });
