import { resolveClassWeights } from '../data/classWeights.js';
import type { DataOptions } from '../data/dataset.js';
import type { ImageOptions } from '../data/pipeline/loader.js';
import type { Dataset } from '../data/sample.js';
import { createClassification, createDetection, createText, type TaskScore } from '../evaluate/createTask.js';
import type { Recipe } from '../recipe/schema.js';
import type { ImageDescription } from '../tasks/description/description.js';
import type { OldModel } from '../tasks/model.js';
import type { Task } from '../tasks/task.js';
import type { PseudoOptions } from '../train/pseudoLabels.js';
import { detectionOptions, inputSizes, type DetectionRecipe } from './detectionRecipe.js';

type ClassificationRecipe = Extract<Recipe, { readonly task: 'classification' }>;
type TextRecipe = Extract<Recipe, { readonly task: 'text' }>;

/** Options of a recipe that differ from task to task, in the form that the steps of every task use. */
export interface TaskOptions {
  /** How images are read. */
  readonly images: Omit<ImageOptions, 'onDrop'>;
  /** Images of categories on a smaller share of the images are repeated; null: every image is used once an epoch. */
  readonly repeatThreshold: number | null;
  /** How a model for so many classes is built, trained and scored. The classes' weights are those for a training
   *  part, if one is given. */
  createTask(numClasses: number, train?: Dataset): Task<unknown, TaskScore>;
  /** Present if the recipe adds classes to those that its weights know. */
  readonly adding: Adding | undefined;
  /** Present if the model finds the characters of its words itself. */
  readonly pseudoLabels: Pick<PseudoOptions, 'refresh' | 'height'> | undefined;
}

/** How classes are added to those that a model knows. */
export interface Adding extends Pick<OldModel, 'weight' | 'ignoreAbove' | 'temperature'> {
  /** Images of the new classes, and of the old ones. */
  readonly fresh: DataOptions;
  readonly replay: DataOptions;
  /** Share of old images in each batch. */
  readonly share: number;
  /** The loss of a detector's classes, which must be that of the old model. */
  readonly classLoss: 'softmax' | 'sigmoid' | undefined;
}

/** The options that are of the recipe's task. */
export function taskOptions(recipe: Recipe): TaskOptions {
  switch (recipe.task) {
    case 'detection':
      return ofDetection(recipe);
    case 'classification':
      return ofClassification(recipe);
    case 'text':
      return ofText(recipe);
  }
}

/** How a recipe's images become the input, for the description of its model. */
export function describeImages(recipe: Recipe): ImageDescription {
  const { resize = 'stretch', interpolation = 'bilinear', cropFraction, limits, tiles } = taskOptions(recipe).images;
  return {
    resize,
    interpolation,
    ...(resize === 'crop' && { cropFraction }),
    ...(resize === 'shorterSide' && { limits }),
    ...(tiles && { tiles }),
  };
}

function ofDetection(recipe: DetectionRecipe): TaskOptions {
  const { data, model, train, addClasses } = recipe;
  const { size, resize, prefetch, brokenImages, invalidBoxes, repeatThreshold } = data;
  const tiles = data.tiles || undefined;
  const { classWeights } = train;
  const sizes = inputSizes(recipe);
  return {
    images:
      'min' in size
        ? {
            resize: 'shorterSide',
            limits: { min: size.min, max: size.max },
            buckets: sizes,
            tiles,
            prefetch,
            brokenImages,
          }
        : { resize, tiles, prefetch, brokenImages },
    repeatThreshold,
    createTask: (numClasses, part) => {
      const weights = classWeights && part ? resolveClassWeights(classWeights, part) : undefined;
      return createDetection({ ...detectionOptions(recipe, numClasses), classWeights: weights }, sizes);
    },
    adding: addClasses && {
      fresh: data,
      replay: { ...addClasses.replay, brokenImages, invalidBoxes },
      share: addClasses.share,
      weight: addClasses.distill,
      ignoreAbove: addClasses.ignoreAbove,
      temperature: 1,
      classLoss: 'classLoss' in model ? model.classLoss : undefined,
    },
    pseudoLabels: undefined,
  };
}

function ofClassification({ data, model, train, addClasses }: ClassificationRecipe): TaskOptions {
  const { size, resize, cropFraction, interpolation, prefetch, brokenImages, repeatThreshold } = data;
  const { backbone, dropout, stochasticDepth } = model;
  const { labelSmoothing, classWeights } = train;
  return {
    images: { resize, cropFraction, interpolation, prefetch, brokenImages },
    repeatThreshold,
    createTask: (numClasses, part) => {
      const weights = classWeights && part ? resolveClassWeights(classWeights, part) : undefined;
      const options = { backbone, dropout, stochasticDepth, labelSmoothing, size, numClasses };
      return createClassification({ ...options, classWeights: weights });
    },
    adding: addClasses && {
      fresh: { ...data, singleClass: true },
      replay: { ...addClasses.replay, brokenImages },
      share: addClasses.share,
      weight: addClasses.distill,
      ignoreAbove: 1,
      temperature: addClasses.temperature,
      classLoss: undefined,
    },
    pseudoLabels: undefined,
  };
}

function ofText({ data, model, train, evaluate }: TextRecipe): TaskOptions {
  const { size, evaluateSize, prefetch, brokenImages } = data;
  const { loss, negatives } = train;
  const { protocol, thresholds } = evaluate;
  return {
    images: { resize: 'letterbox', prefetch, brokenImages }, // stretching would change the shapes of letters
    repeatThreshold: null,
    createTask: () => createText({ ...model, loss, negatives, size, evaluateSize, protocol, thresholds }),
    adding: undefined,
    pseudoLabels: data.format === 'icdar' && data.characters === 'pseudo' ? data.pseudo : undefined,
  };
}
