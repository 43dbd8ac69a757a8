import type { Dataset } from '../data/sample.js';
import type { Recipe } from '../recipe/schema.js';
import { openPseudoLabels, type PseudoLabels } from '../train/pseudoLabels.js';
import { taskOptions } from './taskOptions.js';

/** The characters that the model finds itself in the words of a training part, if the recipe asks for it. */
export function recipePseudoLabels(recipe: Recipe, train: Dataset, directory: string): PseudoLabels | undefined {
  const { pseudoLabels } = taskOptions(recipe);
  return pseudoLabels && openPseudoLabels(train, { ...pseudoLabels, batch: recipe.evaluate.batch, directory });
}
