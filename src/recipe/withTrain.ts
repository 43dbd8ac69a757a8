import { keepPlaces } from './places.js';
import type { Recipe } from './schema.js';

type Changes = Partial<
  Pick<Recipe['train'], 'epochs' | 'stepsPerEpoch' | 'earlyStop' | 'time' | 'batch' | 'memory' | 'warmup'>
>;

/** The recipe with other options of `train`. There is a case for each task because the type checker does not see
 *  that a spread keeps the task. */
export const withTrain = (recipe: Recipe, changes: Changes): Recipe => keepPlaces(changed(recipe, changes), recipe);

/** The recipe with another address of the initial weights. */
export function withWeightsFrom(recipe: Recipe, weights: string | undefined): Recipe {
  if (weights === undefined || weights === recipe.model.weights) return recipe;
  const made = structuredClone(recipe);
  made.model.weights = weights;
  return keepPlaces(made, recipe);
}

function changed(recipe: Recipe, changes: Changes): Recipe {
  switch (recipe.task) {
    case 'detection':
      return { ...recipe, train: { ...recipe.train, ...changes } };
    case 'classification':
      return { ...recipe, train: { ...recipe.train, ...changes } };
    case 'text':
      return { ...recipe, train: { ...recipe.train, ...changes } };
  }
}
