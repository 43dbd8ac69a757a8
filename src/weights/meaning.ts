import { BACKGROUND, findColumns } from '../categories/columns.js';
import type { Problem } from '../errors.js';
import { conventionConflicts, type Conventions } from './conventions.js';
import { matches } from './patterns.js';
import type { WeightsFile } from './read.js';

/** Gives the BatchNorms of a file that was trained with another ε the function that they had, by variances that make up
 *  for the difference: var + ε stays the same. Returns the sentence that says so. */
export function withEpsilon<File extends Pick<WeightsFile, 'params' | 'conventions'>>(
  file: File,
  ours = file.conventions.epsilon,
): { readonly file: File; readonly epsilon?: string } {
  const theirs = file.conventions.epsilon ?? ours;
  const names = [...file.params.keys()].filter((name) => name.endsWith('.running_var'));
  if (theirs === ours || theirs === undefined || ours === undefined || names.length === 0) return { file };
  const params = new Map(file.params);
  for (const name of names) {
    const { shape, data } = params.get(name)!;
    params.set(name, { shape, data: data.map((variance) => variance + theirs - ours) });
  }
  return {
    file: { ...file, params },
    epsilon: `BatchNorm: trained with ε = ${theirs}, the model has ${ours}; ${names.length} variances make up for it`,
  };
}

/** What decides whether arrays mean the same in a model as in the file. */
export interface MeaningOptions {
  /** Names of the columns of the model's class predictor. */
  readonly categories: readonly string[];
  /** What the weights are for. `start`: a training that begins with them, so that a class predictor may lack columns.
   *  `use`: predictions as they are, so that every class must be known to the file. Default: start. */
  readonly purpose?: 'start' | 'use' | undefined;
  /** What the model computes around its weights. Weights with other conventions are adapted or refused. */
  readonly conventions?: Conventions | undefined;
  /** Patterns of parameters that may keep their initial values. */
  readonly allowMissing?: readonly string[] | undefined;
}

/** Returns a problem for each way in which the same arrays would mean something else in this model: other conventions,
 *  and for predictions another activation, or classes that the file does not know. `unset` are the parameters that
 *  keep initial values, completely or for some classes, although the file has arrays for them. */
export function findContradictions(
  file: WeightsFile,
  unset: readonly string[],
  { categories, conventions, purpose = 'start', allowMissing = [] }: MeaningOptions,
): Problem[] {
  const where = { file: file.source.file };
  const problem = (message: string, fix: string): Problem => ({ code: 'E_WEIGHTS_MODEL', message, where, fix });
  const conflicts = conventions ? conventionConflicts(file.conventions, conventions) : [];
  const problems = conflicts.map((conflict) =>
    problem(conflict, 'choose the backbone that these weights were made for'),
  );
  if (purpose === 'start') return problems;
  const background = categories.includes(BACKGROUND);
  if (file.categories && categories.length > 0 && file.categories.includes(BACKGROUND) !== background) {
    const [theirs, ours] = background ? ['sigmoid', 'softmax'] : ['softmax', 'sigmoid'];
    const message = `activation: the class outputs were trained with ${theirs}, the model has ${ours}`;
    return [...problems, problem(message, `create the model with classLoss: '${theirs}'`)];
  }
  const random = unset.filter((name) => !matches(allowMissing, name));
  if (random.length === 0) return problems;
  const known = file.categories && findColumns(categories, file.categories);
  const unknown = categories.filter((_, i) => known?.[i] === -1);
  const message = known
    ? `classes: the file does not know ${listNames(unknown)}; it has ${listNames(file.categories)}`
    : `classes: the file does not name its classes, and has another number than the model's ${categories.length}`;
  const fix = `ask for the file's classes; or let these start at random: allowMissing: [${random.join(', ')}]`;
  return [...problems, problem(message, fix)];
}

const MOST_NAMES = 10;
function listNames(names: readonly string[] = []): string {
  const known = names.filter((name) => name !== '' && name !== BACKGROUND);
  const more = known.length - MOST_NAMES;
  return known.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
