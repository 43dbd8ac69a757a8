import type { Category } from './data/sample.js';
import { createModel, withWeights, type Model } from './model.js';
import type { ProgressEvent } from './progress.js';
import type { Recipe } from './recipe/schema.js';

export interface RecipeModelOptions {
  /** Other weights than the recipe's. */
  readonly weights?: string | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The recipe's model for these categories, with its starting weights. Throws E_MODEL_UNKNOWN and what loadWeights throws. */
export async function recipeModel(
  recipe: Recipe,
  categories: readonly Category[],
  { weights, onProgress }: RecipeModelOptions = {},
): Promise<Model> {
  const { data, train, evaluate, seed } = recipe;
  const { weights: start, allowMissing, allowUnused, ...architecture } = recipe.model;
  const { focal, hardNegatives } = train;
  const fresh = createModel({ ...architecture, ...evaluate, focal, hardNegatives, size: data.size, categories, seed });
  const uri = weights ?? start;
  if (!uri) return fresh;
  const { model, report } = await withWeights(fresh, uri, {
    allowMissing,
    allowUnused,
    ...(onProgress && { onProgress }),
  });
  const { loaded, missing, unused, adapted } = report;
  onProgress?.({
    message: `weights: ${loaded.length} loaded, ${missing.length} missing, ${unused.length} unused (${uri})`,
  });
  const [first, ...others] = adapted;
  if (first) onProgress?.({ message: `  ${first}${others.length > 0 ? ` (and ${others.length} alike)` : ''}` });
  return model;
}
