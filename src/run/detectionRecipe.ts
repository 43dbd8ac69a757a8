import { bucketSizes, type Size } from '../data/pipeline/buckets.js';
import type { Recipe } from '../recipe/schema.js';
import { sizeMultipleOf, type DetectionOptions } from '../tasks/detection/detectors.js';

export type DetectionRecipe = Extract<Recipe, { readonly task: 'detection' }>;

/** The sizes of a detector's batches, largest first. */
export function inputSizes({ data: { size }, model }: DetectionRecipe): readonly Size[] {
  return 'min' in size ? bucketSizes(size, sizeMultipleOf(model)) : [size];
}

/** One size that holds every image, whatever the shapes of batches are: for checks of data and anchors. */
export function roomySize({ data: { size }, model }: DetectionRecipe): Size {
  return 'min' in size ? bucketSizes({ ...size, buckets: 1 }, sizeMultipleOf(model))[0]! : size;
}

/** The options of a recipe's detector. */
export function detectionOptions(recipe: DetectionRecipe, numClasses: number): DetectionOptions {
  const { model, train, evaluate } = recipe;
  const { focal, hardNegatives } = train;
  return { ...model, ...evaluate, focal, hardNegatives, size: inputSizes(recipe)[0]!, numClasses };
}
