import type { ImageOptions } from '../data/pipeline/loader.js';
import { WHOLE } from '../data/pipeline/share.js';
import { invariant } from '../errors.js';
import { recipeIdentity } from '../recipe/differences.js';
import type { Recipe } from '../recipe/schema.js';
import type { TrainOptions } from '../train/options.js';
import { taskOptions } from './taskOptions.js';

/** The options of a recipe's training in a run directory. */
export function trainOptions(recipe: Recipe, images: ImageOptions, directory: string): TrainOptions {
  const { batch } = recipe.train;
  invariant(batch !== 'auto', 'the batch is not planned');
  return {
    ...recipe.train,
    batch,
    ...images,
    augment: recipe.data.augment,
    repeatThreshold: taskOptions(recipe).repeatThreshold,
    seed: recipe.seed,
    evaluateBatch: recipe.evaluate.batch,
    share: WHOLE,
    directory,
    recipe: recipeIdentity(recipe),
  };
}
