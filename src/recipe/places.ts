import { FinetuneError, type Problem } from '../errors.js';
import { nearestEntry, type Located } from './located.js';
import type { Recipe } from './schema.js';
import { problemAt } from './span.js';

const places = new WeakMap<Recipe, Located>();

export const rememberPlaces = (recipe: Recipe, located: Located): void => void places.set(recipe, located);

/** Gives a recipe that was made from another one the places of the options in that one. */
export function keepPlaces<R extends Recipe>(made: R, from: Recipe): R {
  const located = places.get(from);
  if (located) rememberPlaces(made, located);
  return made;
}

/** The problem with the file, line and column of the option that it is about, if the recipe was read from a file. */
export function locateProblem<P extends Pick<Problem, 'option' | 'where'>>(problem: P, recipe: Recipe): P {
  const located = places.get(recipe);
  if (problem.option === undefined || problem.where || !located) return problem;
  return problemAt(nearestEntry(located, problem.option.split('.')).key, problem);
}

/** Does the work, which may run long after the recipe was read. Errors about an option of the recipe are thrown with
 *  the option's place. */
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

/** Does the work. An error that names neither a place nor an option is thrown as one about `option`. */
export async function blaming<T>(option: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isPlaced = !(error instanceof FinetuneError) || error.problems.some(({ where, option }) => where ?? option);
    if (isPlaced) throw error;
    throw new FinetuneError(
      error.problems.map((problem) => ({ ...problem, option })),
      { cause: error },
    );
  }
}
