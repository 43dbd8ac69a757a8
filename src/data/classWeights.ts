import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import { countObjects } from './countObjects.js';
import type { Dataset } from './sample.js';

/** `balanced`, or weights by the category's name; others have 1. */
export type ClassWeights = 'balanced' | Readonly<Record<string, number>>;

/** Share by which a further object counts less than the one before. Cui et al. 2019 use 0.999 for long tails. */
const BETA = 0.999;

/** Weights of the classes in the loss. `balanced`: Cui et al. 2019 (arXiv:1901.05555), eq. 2: the inverse of the effective number (1 − βⁿ)/(1 − β) of n
 *  objects, scaled so that the mean over all objects is 1 and the loss keeps its size. Throws E_CLASS_WEIGHTS with every name that is no category. */
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
        message: `train.classWeights names "${name}", which is no category`,
        fix: didYouMean(name, names) ?? `categories: ${names.join(', ')}`,
      })),
    );
  }
  return names.map((name) => weights[name] ?? 1);
}

/** A category without objects has the weight of one with a single object, and never uses it. */
function balanced(counts: readonly number[]): number[] {
  const raw = counts.map((count) => (1 - BETA) / (1 - BETA ** Math.max(count, 1)));
  const objects = counts.reduce((sum, count) => sum + count, 0);
  const total = raw.reduce((sum, weight, i) => sum + weight * counts[i]!, 0);
  return raw.map((weight) => (objects === 0 ? 1 : (weight * objects) / total));
}
