import { createClassification, createDetection, createText, type TaskScore } from '../evaluate/createTask.js';
import type { ImageOptions, LoadOptions } from '../data/pipeline/loader.js';
import { bucketSizes, type Size } from '../data/pipeline/buckets.js';
import { resolveClassWeights } from '../data/classWeights.js';
import type { Category, Dataset } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import { createModel, type Model, type OldModel } from '../tasks/model.js';
import { withWeights } from '../train/modelWeights.js';
import type { ProgressEvent } from '../progress.js';
import { blaming } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import type { RecipeData } from './recipeData.js';
import { sizeMultipleOf, type DetectionOptions } from '../tasks/detection/detectors.js';
import type { Task } from '../tasks/task.js';

export interface RecipeModelOptions {
  /** Weights to load instead of the recipe's. */
  readonly weights?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The recipe's model for its data, with its starting weights. Throws E_MODEL_UNKNOWN, E_ADD_CLASSES and what loadWeights throws. */
export async function recipeModel(
  recipe: Recipe,
  { categories, train, old }: Pick<RecipeData, 'categories' | 'train' | 'old'>,
  { weights, signal, onProgress }: RecipeModelOptions = {},
): Promise<Model<unknown, TaskScore>> {
  const { weights: start, allowMissing, allowUnused } = recipe.model;
  const fresh = createModel(recipeTask(recipe, categories.length, train), { categories, seed: recipe.seed });
  const uri = weights ?? start;
  if (!uri) return fresh;
  const load = () =>
    withWeights(fresh, uri, {
      allowMissing,
      allowUnused,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
  const { model, report } = await (weights === undefined ? blaming('model.weights', load) : load());
  const { loaded, missing, unused, adapted } = report;
  onProgress?.({
    message: `weights: ${loaded.length} loaded, ${missing.length} missing, ${unused.length} unused (${uri})`,
  });
  const [first, ...others] = adapted;
  if (first) onProgress?.({ message: `  ${first}${others.length > 0 ? ` (and ${others.length} alike)` : ''}` });
  const before = old && (await heldAgainst(recipe, old.categories));
  return before ? { ...model, old: before } : model;
}

/** The model as it was, as far as anything of it is kept by more than the weights that the run begins with. */
async function heldAgainst(recipe: Recipe, categories: readonly Category[]): Promise<OldModel | undefined> {
  if (!('addClasses' in recipe) || !recipe.addClasses) return undefined;
  const { distill: weight } = recipe.addClasses;
  const ignoreAbove = 'ignoreAbove' in recipe.addClasses ? recipe.addClasses.ignoreAbove : 1;
  const temperature = 'temperature' in recipe.addClasses ? recipe.addClasses.temperature : 1;
  if (weight === 0 && ignoreAbove === 1) return undefined;
  const { model, sha256 } = await oldModel(recipe, categories);
  return { task: model.task, params: model.params, sha256, weight, ignoreAbove, temperature };
}

/** The recipe's model with the classes that its weights know, and no others. Throws E_ADD_CLASSES where the weights are not all there. */
export async function oldModel(
  recipe: Recipe,
  categories: readonly Category[],
): Promise<{ readonly model: Model<unknown, TaskScore>; readonly sha256: string }> {
  const { weights, allowMissing, allowUnused } = recipe.model;
  const fresh = createModel(recipeTask(recipe, categories.length), { categories, seed: recipe.seed });
  const { model, report } = await withWeights(fresh, weights!, { allowMissing, allowUnused });
  if (report.missing.length === 0) return { model, sha256: report.sha256 };
  throw new FinetuneError({
    code: 'E_ADD_CLASSES',
    option: 'model.weights',
    message: `the old model is not complete: its weights lack ${report.missing.slice(0, 5).join(', ')}`,
    fix: 'take the weights of a trained model; a backbone alone has no classes to keep',
  });
}

/** What the recipe's model is for, and how it is built, trained and scored. */
function recipeTask(recipe: Recipe, numClasses: number, trainingData?: Dataset): Task<unknown, TaskScore> {
  const weights = 'classWeights' in recipe.train && recipe.train.classWeights;
  const classWeights = weights && trainingData ? resolveClassWeights(weights, trainingData) : undefined;
  if (recipe.task === 'classification') {
    const { size } = recipe.data;
    const { backbone, dropout, stochasticDepth } = recipe.model;
    const { labelSmoothing } = recipe.train;
    return createClassification({ backbone, dropout, stochasticDepth, labelSmoothing, classWeights, size, numClasses });
  }
  if (recipe.task === 'text') {
    const { size, evaluateSize } = recipe.data;
    const { loss, negatives } = recipe.train;
    const { protocol, thresholds } = recipe.evaluate;
    return createText({ ...recipe.model, loss, negatives, size, evaluateSize, protocol, thresholds });
  }
  return createDetection({ ...detectionOptions(recipe, numClasses), classWeights }, inputSizes(recipe));
}

/** The sizes of a detector's batches, the largest first. */
export function inputSizes({ data: { size }, model }: DetectionRecipe): readonly Size[] {
  if (!('min' in size)) return [size];
  return bucketSizes(size, sizeMultipleOf(model));
}

/** The size in which every image finds room: to look at data and anchors, whatever the shapes of batches. */
export function roomySize(recipe: DetectionRecipe): Size {
  const { data } = recipe;
  if (!('min' in data.size)) return data.size;
  return inputSizes({ ...recipe, data: { ...data, size: { ...data.size, buckets: 1 } } })[0]!;
}

export type DetectionRecipe = Extract<Recipe, { readonly task: 'detection' }>;

/** What the recipe says of its detector. */
export function detectionOptions(recipe: DetectionRecipe, numClasses: number): DetectionOptions {
  const { model, train, evaluate } = recipe;
  const { focal, hardNegatives } = train;
  return { ...model, ...evaluate, focal, hardNegatives, size: inputSizes(recipe)[0]!, numClasses };
}

/** How the recipe's images are read. */
export function recipeImages(
  recipe: Recipe,
): Pick<LoadOptions, 'resize' | 'buckets' | 'limits' | 'cropFraction' | 'interpolation' | 'prefetch' | 'brokenImages'> {
  const { data } = recipe;
  const { prefetch, brokenImages } = data;
  if (recipe.task === 'detection' && 'min' in recipe.data.size) {
    const { min, max } = recipe.data.size;
    const buckets = inputSizes(recipe);
    return { resize: 'shorterSide', limits: { min, max }, buckets, prefetch, brokenImages };
  }
  const resize = 'resize' in data ? data.resize : 'letterbox'; // scene text is always seen in its proportions
  const placing = 'cropFraction' in data ? { cropFraction: data.cropFraction, interpolation: data.interpolation } : {};
  return { resize, ...placing, prefetch, brokenImages };
}

/** How the recipe's images are read, with a record of those that cannot be read: by file, with the reason. */
export function countBrokenImages(recipe: Recipe): {
  readonly images: ImageOptions;
  readonly broken: ReadonlyMap<string, string>;
} {
  const broken = new Map<string, string>();
  const onDrop = (reason: string, file: string): void => void broken.set(file, reason);
  return { images: { ...recipeImages(recipe), onDrop }, broken };
}
