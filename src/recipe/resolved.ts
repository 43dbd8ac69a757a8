import { posix, win32 } from 'node:path';
import { isPair, isScalar, parseDocument, stringify, visit, type Document } from 'yaml';
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
  shortenPaths(document);
  return document.toString({ lineWidth: 0 });
}

/** Leaves of each absolute path in a document the last part, and returns the options that had one, such as `data.root`.
 *  Paths of Windows count on every system. */
function shortenPaths(document: Document): string[] {
  const shortened: string[] = [];
  visit(document, {
    Scalar(_, node, ancestors) {
      if (typeof node.value !== 'string') return;
      const [, scheme = '', path = ''] = /^((?:file|run):)?(?:\/\/(?=\/))?(.*)$/s.exec(node.value) ?? [];
      if (!posix.isAbsolute(path) && !/^([a-z]:[\\/]|\\\\)/i.test(path)) return;
      node.value = scheme + win32.basename(path);
      const keys = ancestors.flatMap((one) => (isPair(one) && isScalar(one.key) ? [String(one.key.value)] : []));
      shortened.push(keys.join('.'));
    },
  });
  return [...new Set(shortened)];
}

/** The text of a run's recipe as it may be given away: of the absolute paths in it the last part stays, and a comment
 *  says so. Returns the options that had one, too. */
export function portableRecipe(text: string): { readonly text: string; readonly shortened: readonly string[] } {
  const document = parseDocument(text);
  const shortened = shortenPaths(document);
  if (shortened.length === 0) return { text, shortened };
  const note = ` Paths of another machine were shortened to their last part: ${shortened.join(', ')}.`;
  document.commentBefore = [document.commentBefore, note].filter(Boolean).join('\n');
  return { text: document.toString({ lineWidth: 0 }), shortened };
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
