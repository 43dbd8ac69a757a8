import { BACKGROUND, findColumns } from '../categories/columns.js';
import { openDatasets, type Datasets } from '../data/dataset.js';
import { numberCategories } from '../data/categories.js';
import { relabel } from '../data/relabel.js';
import type { Category, Dataset, PartName } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import type { ProgressEvent } from '../progress.js';
import { blaming } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import { readWeights } from '../weights/read.js';
import { taskOptions, type Adding } from './taskOptions.js';

/** The parts of a recipe's data. */
export interface RecipeData {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test?: Dataset;
  readonly categories: readonly Category[];
  /** Present if the recipe adds classes to those that its weights know. */
  readonly old?: OldData;
  /** How `data.split` divided the images. */
  readonly divided?: Datasets['divided'];
}

/** The classes that a model knew before others were added, and images to score them on. */
export interface OldData {
  /** They come first among all categories. */
  readonly categories: readonly Category[];
  /** Images of these categories, for the old model, which tells them apart from each other alone. */
  readonly before: Dataset;
  /** The same images, for the new model, which tells all categories apart. */
  readonly after: Dataset;
}

export interface Hooks {
  /** The part of each image by its name, as a run divided them. */
  readonly kept?: Readonly<Record<string, PartName>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Opens the data sets that `data` of a recipe names, and none of the classes that a model knew before. */
export const ownData = (recipe: Recipe, hooks: Hooks = {}): Promise<RecipeData> =>
  blaming('data', () => openDatasets(recipe.data, hooks));

/** Opens a recipe's data. With `addClasses`, the categories are those of the model's weights, followed by the others
 *  of the data, and the training part has old images behind its own. Throws E_ADD_CLASSES, and what openDatasets and
 *  readWeights throw. */
export async function recipeData(recipe: Recipe, hooks: Hooks = {}): Promise<RecipeData> {
  const { adding } = taskOptions(recipe);
  if (!adding) return ownData(recipe, hooks);
  const uri = recipe.model.weights!; // recipe/addClassesRules.ts requires it
  const known = await blaming('model.weights', () => knownClasses(uri, adding, hooks));
  const [fresh, former] = await Promise.all([
    blaming('data', () => openDatasets(adding.fresh, hooks)),
    blaming('addClasses.replay', () =>
      openDatasets(adding.replay, { ...hooks, kept: undefined, option: 'addClasses.replay' }),
    ),
  ]);
  const categories = joinCategories(known, { fresh: fresh.categories, former: former.categories });
  const own = categories.slice(0, known.length);
  const train = relabel(fresh.train, categories);
  const { share } = adding;
  return {
    train: share > 0 ? withOld(train, relabel(former.train, categories), share) : train,
    val: relabel(fresh.val, categories),
    ...('test' in fresh && { test: relabel(fresh.test, categories) }),
    categories,
    ...('divided' in fresh && { divided: fresh.divided }),
    old: { categories: own, before: relabel(former.val, own), after: relabel(former.val, categories) },
  };
}

const failure = (option: string, message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_ADD_CLASSES', option, message, fix });

/** The classes that the outputs of a weights file stand for. */
async function knownClasses(uri: string, { classLoss }: Adding, { signal, onProgress }: Hooks): Promise<string[]> {
  const { categories } = await readWeights(uri, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
  const softmax = classLoss === 'softmax';
  if (categories && classLoss && categories.includes(BACKGROUND) !== softmax) {
    const others = softmax ? 'sigmoid' : 'softmax';
    const message = `the old model's class predictor has ${softmax ? 'no' : 'a'} column for the background`;
    throw failure('model.classLoss', message, `set model.classLoss: ${others}, as it was trained with`);
  }
  const names = categories?.filter((name) => name !== '' && name !== BACKGROUND) ?? [];
  if (names.length > 0) return names;
  throw failure(
    'model.weights',
    `${uri} does not say which classes it knows`,
    'use a run directory, or published weights whose categories are known (finetune weights)',
  );
}

interface Found {
  readonly fresh: readonly Category[];
  readonly former: readonly Category[];
}

/** The classes that the old model knows, followed by the new ones of the data. */
function joinCategories(known: readonly string[], { fresh, former }: Found): readonly Category[] {
  const strangers = without(former, known);
  if (strangers.length > 0) {
    throw failure(
      'addClasses.replay',
      `the old images have classes that the old model does not know: ${strangers.join(', ')}`,
      'list those that it knows in addClasses.replay.categories',
    );
  }
  const added = without(fresh, known);
  if (added.length > 0) return numberCategories([...known, ...added]);
  throw failure('addClasses', 'the old model has every class of the data', 'remove addClasses: nothing is added');
}

/** The names that are not among the known ones, in whatever spelling. */
function without(categories: readonly Category[], known: readonly string[]): string[] {
  const names = categories.map(({ name }) => name);
  const columns = findColumns(names, known);
  return names.filter((_, i) => columns[i]! < 0);
}

/** The training part with old images behind its own. */
function withOld(train: Dataset, old: Dataset, share: number): Dataset {
  const dropped = Object.entries(old.dropped).map(([reason, count]) => [`old images: ${reason}`, count] as const);
  return {
    ...train,
    annotations: [...train.annotations, ...old.annotations],
    dropped: { ...train.dropped, ...Object.fromEntries(dropped) },
    old: { from: train.annotations.length, share },
  };
}
