import { parseDocument, stringify } from 'yaml';
import { idleOptions } from './rules.js';
import type { Recipe } from './schema.js';

/** The schema adds these to what a recipe says, and reads them from none. */
const TAGS = [['data', 'augment', 'kind']];

/** The recipe with every option written out, as YAML: loading it gives the same recipe, whatever the defaults become. */
export function resolvedRecipeText(recipe: Recipe): string {
  const document = parseDocument(stringify(recipe, { aliasDuplicateObjects: false, lineWidth: 0 }));
  for (const path of TAGS) if (document.hasIn(path)) document.deleteIn(path);
  // An idle option may not be written in a recipe, so it may not be written here.
  for (const { path } of idleOptions(recipe)) document.deleteIn(path.split('.'));
  document.commentBefore = ' Every option of this run, defaults written out.';
  return document.toString({ lineWidth: 0 });
}
