import type { Conflict } from '../conflict.js';
import { headOf, headsThat } from '../tasks/detection/detectors.js';
import type { Recipe } from './schema.js';

type Adding = Exclude<Recipe, { readonly task: 'text' }>;

/** Options with which classes cannot be added. */
export function addingConflicts(recipe: Adding): Conflict[] {
  const { model, train, data, addClasses } = recipe;
  if (!addClasses) return [];
  const found: Conflict[] = [];
  if (model.weights === undefined) {
    const message = '"addClasses" needs "model.weights": the model whose classes are kept';
    found.push({ path: 'addClasses', message, fix: 'set model.weights, for example to run:<run directory>' });
  }
  if (recipe.task === 'detection' && !headOf(recipe.model.head).keepsOldClasses) {
    const message = `"addClasses" compares the outputs of anchors with those of the old model, which "model.head: ${recipe.model.head}" cannot do`;
    found.push({
      path: 'addClasses',
      message,
      fix: `set model.head: ${headsThat((head) => head.keepsOldClasses === true)}`,
    });
  }
  if (data.repeatThreshold !== null) {
    const message =
      '"data.repeatThreshold" repeats images by their classes, and "addClasses" mixes old ones into each batch';
    found.push({ path: 'data.repeatThreshold', message, fix: 'set one of them' });
  }
  if ('min' in data.size) {
    const message =
      '"data.size" has several sizes, each with its own batches, and "addClasses" mixes old images into each batch';
    found.push({ path: 'data.size', message, fix: 'set data.size to one size' });
  }
  if (addClasses.share > 0 && train.batch === 1) {
    const message = 'a batch of 1 has no place for an old image beside a new one';
    found.push({ path: 'train.batch', message, fix: 'set train.batch to 2 or more, or addClasses.share: 0' });
  }
  return found;
}
