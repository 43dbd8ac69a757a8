import type { Dataset } from '../data/sample.js';
import type { ImageOptions } from '../data/pipeline/loader.js';
import { invariant } from '../errors.js';
import { recipeIdentity } from '../recipe/differences.js';
import type { Recipe } from '../recipe/schema.js';
import { openPseudoLabels, type PseudoLabels } from '../train/pseudoLabels.js';
import type { TrainOptions } from '../train/options.js';

/** What the training needs to know of the recipe, in the run directory `directory`. */
export function trainOptions(recipe: Recipe, images: ImageOptions, directory: string): TrainOptions {
  const { batch } = recipe.train;
  invariant(batch !== 'auto', 'the batch is not planned');
  return {
    ...recipe.train,
    batch,
    ...images,
    augment: recipe.data.augment,
    repeatThreshold: 'repeatThreshold' in recipe.data ? recipe.data.repeatThreshold : null,
    seed: recipe.seed,
    evaluateBatch: recipe.evaluate.batch,
    directory,
    recipe: recipeIdentity(recipe),
  };
}

/** Characters by the model itself, where the recipe asks for them. */
export function recipePseudoLabels(recipe: Recipe, train: Dataset, directory: string): PseudoLabels | undefined {
  if (recipe.task !== 'text' || recipe.data.format !== 'icdar' || recipe.data.characters !== 'pseudo') return undefined;
  return openPseudoLabels(train, { ...recipe.data.pseudo, batch: recipe.evaluate.batch, directory });
}
