import { basename, isAbsolute } from 'node:path';
import { isScalar, parseDocument, stringify, visit, type Document } from 'yaml';
import { maskUri } from '../maskSecrets.js';
import { idleOptions } from './idleOptions.js';
import type { Recipe } from './schema.js';

/** Options that the schema adds to a recipe and that no recipe may have. */
const TAGS = [['data', 'augment', 'kind']];

/** The recipe as YAML with every option written out: it loads as the same recipe even if a later version has other
 *  defaults. A secret in the address of the weights is masked. */
export const resolvedRecipeText = (recipe: Recipe): string => resolveRecipe(recipe).toString({ lineWidth: 0 });

/** The resolved recipe as it may be published: of the absolute paths in it, the last part stays. */
export function publishedRecipeText(recipe: Recipe): string {
  const document = resolveRecipe(recipe);
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'string') return;
      const [, scheme = '', path = ''] = /^((?:file|run):)?(?:\/\/(?=\/))?(.*)$/s.exec(node.value) ?? [];
      if (isAbsolute(path)) node.value = scheme + basename(path);
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** The folders of data that a recipe names. */
export function rootsOf(recipe: Recipe): string[] {
  const roots: string[] = [];
  visit(resolveRecipe(recipe), {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === 'root' && isScalar(value)) roots.push(String(value.value));
    },
  });
  return roots;
}

function resolveRecipe(recipe: Recipe): Document {
  const { weights } = recipe.model;
  const shown = weights === undefined ? recipe : { ...recipe, model: { ...recipe.model, weights: maskUri(weights) } };
  const document = parseDocument(stringify(shown, { aliasDuplicateObjects: false, lineWidth: 0 }));
  for (const path of TAGS) if (document.hasIn(path)) document.deleteIn(path);
  // Writing an option that has no effect is an error.
  for (const { path } of idleOptions(recipe)) document.deleteIn(path.split('.'));
  document.commentBefore = ' Every option of this run, with the defaults written out.';
  return document;
}
