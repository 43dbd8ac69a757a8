import { FinetuneError, type Problem } from '../errors.js';
import { nearestEntry, type Located } from './located.js';
import type { Recipe } from './schema.js';
import { problemAt } from './span.js';

const places = new WeakMap<Recipe, Located>();

export const rememberPlaces = (recipe: Recipe, located: Located): void => void places.set(recipe, located);

/** For a recipe made from another one: an option is found where it stands in that. */
export function keepPlaces<R extends Recipe>(made: R, from: Recipe): R {
  const located = places.get(from);
  if (located) rememberPlaces(made, located);
  return made;
}

/** A problem with file, line and column of the option it is about, where the recipe was read from a file. */
export function locateProblem({ option, ...problem }: Problem, recipe: Recipe): Problem {
  const located = places.get(recipe);
  if (option === undefined || problem.where || !located) return problem;
  return problemAt(nearestEntry(located, option.split('.')).key, problem);
}

/** Does the work; what goes wrong because of an option, long after the recipe was read, is thrown with the option's place. */
export async function locating<T>(recipe: Recipe, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FinetuneError) || error.problems.every(({ option }) => option === undefined)) throw error;
    throw new FinetuneError(
      error.problems.map((problem) => locateProblem(problem, recipe)),
      { cause: error },
    );
  }
}
