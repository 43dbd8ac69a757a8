import { didYouMean, nearest } from '../didYouMean.js';
import { catalog } from './catalog.js';

/** What a person may have meant by a name that is neither a file nor the name of published weights: the name of a model
 *  that has some, or a name of weights that was mistyped. Undefined for what is written as a path or an address. */
export function suggestWeights(typed: string): string | undefined {
  if (/[/\\:]/.test(typed)) return undefined;
  const models = new Set(catalog.map(({ model }) => model));
  const named = (model: string): string =>
    catalog
      .filter((entry) => entry.model === model)
      .map(({ name }) => name)
      .join(', ');
  if (models.has(typed)) return `the weights of ${typed} are called ${named(typed)}`;
  const near = didYouMean(typed, catalog.map(({ name }) => name), 3); // prettier-ignore
  if (near !== undefined) return near;
  const model = nearest(typed, models);
  return model === undefined
    ? 'name a file, or weights that finetune models lists'
    : `the weights of ${model} are called ${named(model)}`;
}
