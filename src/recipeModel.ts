import { createClassification, createDetection, createText, type TaskScore } from './createTask.js';
import type { LoadOptions } from './data/loader.js';
import { resolveClassWeights } from './data/classWeights.js';
import type { Category, Dataset } from './data/sample.js';
import { createModel, withWeights, type Model } from './model.js';
import type { ProgressEvent } from './progress.js';
import type { Recipe } from './recipe/schema.js';
import type { DetectionOptions } from './tasks/detection.js';
import type { Task } from './tasks/task.js';

export interface RecipeModelOptions {
  /** Other weights than the recipe's. */
  readonly weights?: string | undefined;
  /** What it is to be trained on, where it is: the classes' weights depend on it. */
  readonly trainingData?: Dataset | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The recipe's model for these categories, with its starting weights. Throws E_MODEL_UNKNOWN and what loadWeights throws. */
export async function recipeModel(
  recipe: Recipe,
  categories: readonly Category[],
  { weights, trainingData, onProgress }: RecipeModelOptions = {},
): Promise<Model<unknown, TaskScore>> {
  const { weights: start, allowMissing, allowUnused } = recipe.model;
  const fresh = createModel(recipeTask(recipe, categories.length, trainingData), { categories, seed: recipe.seed });
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

/** What the recipe's model is for, and how it is built, trained and scored. */
function recipeTask(recipe: Recipe, numClasses: number, trainingData?: Dataset): Task<unknown, TaskScore> {
  const { size } = recipe.data;
  const weights = 'classWeights' in recipe.train && recipe.train.classWeights;
  const classWeights = weights && trainingData ? resolveClassWeights(weights, trainingData) : undefined;
  if (recipe.task === 'classification') {
    const { backbone, dropout, stochasticDepth } = recipe.model;
    const { labelSmoothing } = recipe.train;
    return createClassification({ backbone, dropout, stochasticDepth, labelSmoothing, classWeights, size, numClasses });
  }
  if (recipe.task === 'text') {
    const { evaluateSize } = recipe.data;
    const { loss, negatives } = recipe.train;
    const { protocol, thresholds } = recipe.evaluate;
    return createText({ ...recipe.model, loss, negatives, size, evaluateSize, protocol, thresholds });
  }
  return createDetection({ ...detectionOptions(recipe, numClasses), classWeights });
}

export type DetectionRecipe = Extract<Recipe, { readonly task: 'detection' }>;

/** What the recipe says of its detector. */
export function detectionOptions(
  { data, model, train, evaluate }: DetectionRecipe,
  numClasses: number,
): DetectionOptions {
  const { focal, hardNegatives } = train;
  return { ...model, ...evaluate, focal, hardNegatives, size: data.size, numClasses };
}

/** How the recipe's images are read. */
export function recipeImages({
  data,
}: Recipe): Pick<LoadOptions, 'resize' | 'cropFraction' | 'interpolation' | 'prefetch' | 'brokenImages'> {
  const { prefetch, brokenImages } = data;
  const resize = 'resize' in data ? data.resize : 'letterbox'; // scene text is always seen in its proportions
  const placing = 'cropFraction' in data ? { cropFraction: data.cropFraction, interpolation: data.interpolation } : {};
  return { resize, ...placing, prefetch, brokenImages };
}
