import { openDatasets } from '../data/dataset.js';
import { numberCategories } from '../data/categories.js';
import { relabel } from '../data/relabel.js';
import type { Category, Dataset } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import type { ProgressEvent } from '../progress.js';
import { blaming } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import { BACKGROUND, findColumns } from '../categories/columns.js';
import { readWeights } from '../weights/read.js';

/** The parts of a recipe's data. */
export interface RecipeData {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test?: Dataset;
  readonly categories: readonly Category[];
  /** Where classes are added to those of a model. */
  readonly old?: OldData;
}

/** What the model knew before. */
export interface OldData {
  /** The first of all categories. */
  readonly categories: readonly Category[];
  /** Images of these categories to score on, told among themselves, and among all categories. */
  readonly before: Dataset;
  readonly after: Dataset;
}

interface Hooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Opens what `data` of a recipe names, and nothing of the classes that a model knew before. */
export const ownData = (recipe: Recipe, hooks: Hooks = {}): Promise<RecipeData> =>
  blaming('data', () => openDatasets(recipe.data, hooks));

/** Opens a recipe's data. With `addClasses`, its categories are those of the model's weights and behind them the data's others,
 *  and old images stand among those to train on. Throws E_ADD_CLASSES, and what openDatasets and readWeights throw. */
export async function recipeData(recipe: Recipe, hooks: Hooks = {}): Promise<RecipeData> {
  if (!('addClasses' in recipe) || !recipe.addClasses) return ownData(recipe, hooks);
  const { replay, share } = recipe.addClasses;
  const known = await blaming('model.weights', () => knownClasses(recipe, hooks));
  const { brokenImages } = recipe.data;
  const invalidBoxes = 'invalidBoxes' in recipe.data ? { invalidBoxes: recipe.data.invalidBoxes } : {};
  const [fresh, former] = await Promise.all([
    blaming('data', () =>
      openDatasets('splitSeed' in recipe.data ? { ...recipe.data, singleClass: true } : recipe.data, hooks),
    ),
    blaming('addClasses.replay', () => openDatasets({ ...replay, brokenImages, ...invalidBoxes }, hooks)),
  ]);
  const strangers = without(former.categories, known);
  if (strangers.length > 0) {
    throw failure(
      'addClasses.replay',
      `the old images have classes that the old model does not know: ${strangers.join(', ')}`,
      'list those that it knows in addClasses.replay.categories',
    );
  }
  const added = without(fresh.categories, known);
  if (added.length === 0)
    throw failure('addClasses', 'the old model has every class of the data', 'remove addClasses: nothing is added');

  const categories = numberCategories([...known, ...added]);
  const own = categories.slice(0, known.length);
  const train = relabel(fresh.train, categories);
  return {
    train: share > 0 ? withOld(train, relabel(former.train, categories), share) : train,
    val: relabel(fresh.val, categories),
    ...('test' in fresh && { test: relabel(fresh.test, categories) }),
    categories,
    old: { categories: own, before: relabel(former.val, own), after: relabel(former.val, categories) },
  };
}

const failure = (option: string, message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_ADD_CLASSES', option, message, fix });

/** The classes that a weights file has columns for. */
async function knownClasses({ model }: Recipe, { signal, onProgress }: Hooks): Promise<string[]> {
  const uri = model.weights!; // recipe/rules.ts
  const { categories } = await readWeights(uri, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
  const softmax = 'classLoss' in model && model.classLoss === 'softmax';
  if (categories && 'classLoss' in model && categories.includes(BACKGROUND) !== softmax) {
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

/** Names that are not among the known ones, however those are spelt. */
function without(categories: readonly Category[], known: readonly string[]): string[] {
  const names = categories.map(({ name }) => name);
  const columns = findColumns(names, known);
  return names.filter((_, i) => columns[i]! < 0);
}

function withOld(train: Dataset, old: Dataset, share: number): Dataset {
  const dropped = Object.entries(old.dropped).map(([reason, count]) => [`old images: ${reason}`, count] as const);
  return {
    ...train,
    annotations: [...train.annotations, ...old.annotations],
    dropped: { ...train.dropped, ...Object.fromEntries(dropped) },
    old: { from: train.annotations.length, share },
  };
}
