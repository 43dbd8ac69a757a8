import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import { countObjects } from './countObjects.js';
import type { Dataset } from './sample.js';

/** `balanced`, or weights by category name; a category that is not named has weight 1. */
export type ClassWeights = 'balanced' | Readonly<Record<string, number>>;

/** Factor by which each further object counts less than the one before. Cui et al. 2019 use 0.999 for long-tailed data. */
const BETA = 0.999;

/** The weights of the classes in the loss. `balanced` gives the inverse of the effective number (1 − βⁿ)/(1 − β) of a
 *  class's n objects (Cui et al. 2019, arXiv:1901.05555, eq. 2), scaled so that the mean over all objects is 1 and the
 *  loss keeps its magnitude.
 *  Throws E_CLASS_WEIGHTS with every name that is no category. */
export function resolveClassWeights(
  weights: ClassWeights,
  dataset: Pick<Dataset, 'categories' | 'annotations'>,
): number[] {
  const names = dataset.categories.map(({ name }) => name);
  if (weights === 'balanced') return balanced(countObjects(dataset));
  const unknown = Object.keys(weights).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new FinetuneError(
      unknown.map((name) => ({
        code: 'E_CLASS_WEIGHTS',
        option: `train.classWeights.${name}`,
        message: `train.classWeights has a weight for "${name}", which is no category`,
        fix: didYouMean(name, names) ?? `the categories are: ${names.join(', ')}`,
      })),
    );
  }
  return names.map((name) => weights[name] ?? 1);
}

/** A category without objects gets the weight of one with a single object; the loss never uses it. */
function balanced(counts: readonly number[]): number[] {
  const raw = counts.map((count) => (1 - BETA) / (1 - BETA ** Math.max(count, 1)));
  const objects = counts.reduce((sum, count) => sum + count, 0);
  const total = raw.reduce((sum, weight, i) => sum + weight * counts[i]!, 0);
  return raw.map((weight) => (objects === 0 ? 1 : (weight * objects) / total));
}
