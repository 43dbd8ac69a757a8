import { parseDocument, stringify } from 'yaml';
import { idleOptions } from './idleOptions.js';
import type { Recipe } from './schema.js';

/** Options that the schema adds to a recipe and that no recipe may have. */
const TAGS = [['data', 'augment', 'kind']];

/** The recipe as YAML with every option written out: it loads as the same recipe even if a later version has other
 *  defaults. */
export function resolvedRecipeText(recipe: Recipe): string {
  const document = parseDocument(stringify(recipe, { aliasDuplicateObjects: false, lineWidth: 0 }));
  for (const path of TAGS) if (document.hasIn(path)) document.deleteIn(path);
  // Writing an option that has no effect is an error.
  for (const { path } of idleOptions(recipe)) document.deleteIn(path.split('.'));
  document.commentBefore = ' Every option of this run, with the defaults written out.';
  return document.toString({ lineWidth: 0 });
}
