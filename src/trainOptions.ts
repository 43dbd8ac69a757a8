import type { ImageOptions } from './data/loader.js';
import { recipeIdentity } from './recipe/differences.js';
import type { Recipe } from './recipe/schema.js';
import type { TrainOptions } from './train/trainer.js';

/** What the training needs to know of the recipe, in the run directory `directory`. */
export const trainOptions = (recipe: Recipe, images: ImageOptions, directory: string): TrainOptions => ({
  ...recipe.train,
  ...images,
  augment: recipe.data.augment,
  repeatThreshold: 'repeatThreshold' in recipe.data ? recipe.data.repeatThreshold : null,
  seed: recipe.seed,
  evaluateBatch: recipe.evaluate.batch,
  directory,
  recipe: recipeIdentity(recipe),
});
