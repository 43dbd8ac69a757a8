import { setImmediate } from 'node:timers/promises';
import { openBackend, type Backend } from '../engine/backend.js';
import { installForInference } from '../engine/install/installForInference.js';
import { installEngine } from '../engine/install/install.js';
import type { TaskScore } from '../evaluate/createTask.js';
import { findOverlaps, type ComparedPart, type Overlap } from '../data/overlap.js';
import { blaming, locating } from '../recipe/places.js';
import type { Recipe } from '../recipe/schema.js';
import { describeUnscored, PARTS, warnOfOverlap } from '../report/claims.js';
import type { Model } from '../tasks/model.js';
import { keptDivision } from './division.js';
import { recipeData, type RecipeData } from './recipeData.js';
import { recipeModel, type RecipeModelOptions } from './recipeModel.js';

/** A recipe with everything that it names. */
export interface OpenedRecipe {
  readonly recipe: Recipe;
  readonly backend: Backend;
  readonly data: RecipeData;
  readonly model: Model<unknown, TaskScore>;
  /** Images that parts share. */
  readonly overlaps: readonly Overlap[];
  /** What a reader of the score must know, a sentence each: what starts at random, and which parts cannot be scored. */
  readonly remarks: readonly string[];
  /** When opening began, as `performance.now()` counts: `train.time` includes it. */
  readonly began: number;
}

export interface OpenOptions extends RecipeModelOptions {
  /** Run directory whose division of the images is kept. */
  readonly dividedBy?: string | undefined;
}

/** Opens the engine, the data and the model of a recipe and works with them. Every command and every function of the
 *  API that runs a recipe goes through here, so that the same mistake is the same error in all of them: errors of
 *  `work` that name an option of the recipe are thrown with the option's file, line and column, too. */
export const withRecipe = <T>(
  recipe: Recipe,
  options: OpenOptions,
  work: (opened: OpenedRecipe) => Promise<T>,
): Promise<T> => locating(recipe, async () => work(await openRecipe(recipe, options)));

async function openRecipe(
  recipe: Recipe,
  { weights, purpose, dividedBy, signal, onProgress }: OpenOptions,
): Promise<OpenedRecipe> {
  const hooks = { signal, onProgress };
  const { engine, threads } = recipe;
  // The first run of a user downloads TensorFlow's library. If that fails, openBackend says why the engine is another one.
  if (engine === 'auto' || engine === 'tensorflow') await installEngine(hooks);
  else await installForInference(engine, hooks);
  const began = performance.now();
  const backend = await blaming('engine', () => openBackend({ engine, threads }));
  onProgress?.({ message: `engine ${backend.name} ${backend.version}: ${backend.reason}` });
  await hearSignal(signal);
  const kept = dividedBy === undefined ? undefined : await keptDivision(dividedBy);
  const data = await recipeData(recipe, { ...hooks, kept });
  await hearSignal(signal);
  const overlaps = await findOverlaps(comparedParts(data), { pictures: false, signal });
  for (const overlap of overlaps) onProgress?.({ message: warnOfOverlap(overlap) });
  await hearSignal(signal);
  const { model, start } = await recipeModel(recipe, data, { weights, purpose, ...hooks });
  const remarks = [...start, ...(data.divided?.remarks ?? []), ...describeUnscored(data)];
  for (const message of remarks) onProgress?.({ message });
  await hearSignal(signal);
  return { recipe, backend, data, model, overlaps, remarks, began };
}

/** Each part is compared with those before it, whose images a model has seen when it is scored on the part. */
function comparedParts({ train, val, test, old }: RecipeData): ComparedPart[] {
  const parts = { train, val, ...(test && { test }), ...(old && { old: old.after }) };
  return Object.entries(parts).map(([part, { annotations }]) => ({
    name: PARTS[part as keyof typeof PARTS],
    annotations,
  }));
}

/** Ctrl-C is not heard while the thread computes: lets Node look for it, and throws the signal's reason if it was. */
async function hearSignal(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
