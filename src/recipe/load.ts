import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { decodeText } from '../data/formats/decodeText.js';
import { FinetuneError, type Problem } from '../errors.js';
import { checkRecipe } from './check.js';
import { nearest } from '../didYouMean.js';
import { changeAt, merge, parseLocated, type Located } from './located.js';
import { override } from './overrides.js';
import type { Recipe } from './schema.js';
import { problemAt, type Source, type Span } from './span.js';

export interface LoadOptions {
  /** Overrides in the form `train.epochs=12`. A later one replaces an earlier one. */
  readonly set?: readonly string[];
  /** YAML below the recipe, with options that it may leave out. */
  readonly beneath?: string;
}

/** Reads a recipe, the ones that it extends, and the overrides. A relative `data.root` (or `file:` and `run:` of
 *  `model.weights`) counts from the folder of the file it stands in, or from the current directory when an override
 *  sets it. Throws a FinetuneError with every problem at once (E_RECIPE_…). */
export async function loadRecipe(path: string, options: LoadOptions = {}): Promise<Recipe> {
  return parseRecipe(await readText(path), path, options);
}

/** As loadRecipe, with the text of `file` given. */
export async function parseRecipe(
  text: string,
  file: string,
  { set = [], beneath }: LoadOptions = {},
): Promise<Recipe> {
  const problems: Problem[] = [];
  let located = await readLayers(text, file, [], problems);
  if (beneath !== undefined) located = merge(await readLayers(beneath, 'beneath', [], problems), located);
  for (const setting of set) located = override(located, setting, process.cwd(), problems);
  if (problems.length > 0) throw new FinetuneError(problems);

  const checked = checkRecipe(withAbsolutePaths(located));
  if ('problems' in checked) throw new FinetuneError(checked.problems);
  return checked.recipe;
}

/** The recipe in `text`, merged over the one that it extends, and so on. `above` are the files that extend it. */
async function readLayers(text: string, file: string, above: readonly string[], problems: Problem[]): Promise<Located> {
  const withoutMark = text.replace(/^\uFEFF/, '');
  const source: Source = { name: file, text: withoutMark, folder: dirname(resolve(file)), kind: 'file' };
  const parsed = parseLocated(source, 0, problems);
  const isEmpty = parsed.kind === 'scalar' && parsed.value === null;
  const own: Located = isEmpty ? { kind: 'map', span: parsed.span, entries: new Map() } : parsed;
  if (own.kind !== 'map' || !own.entries.has('extends')) return own;

  const entries = new Map(own.entries);
  const base = entries.get('extends')!.value;
  entries.delete('extends');
  const map: Located = { ...own, entries };
  const { span } = base;
  if (base.kind !== 'scalar' || typeof base.value !== 'string') {
    const message = '"extends" must be the file name of another recipe, relative to this one';
    problems.push(problemAt(span, { code: 'E_RECIPE_TYPE', message }));
    return map;
  }
  const path = isAbsolute(base.value) ? base.value : join(dirname(file), base.value);
  const chain = [...above, file];
  if (chain.some((seen) => resolve(seen) === resolve(path))) {
    const message = `a recipe cannot extend itself: ${[...chain, path].join(' → ')}`;
    problems.push(problemAt(span, { code: 'E_RECIPE_EXTENDS_CYCLE', message, fix: 'remove one of these "extends"' }));
    return map;
  }
  try {
    return merge(await readLayers(await readText(path, span), path, chain, problems), map);
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    problems.push(...error.problems);
    return map;
  }
}

/** The text of a recipe. Throws E_RECIPE_NOT_FOUND, with the nearest name in that folder, or E_RECIPE_UNREADABLE;
 *  both at `span`, if it is given. */
async function readText(path: string, span?: Span): Promise<string> {
  try {
    return decodeText(await readFile(path), path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem: Problem =
      code === 'ENOENT'
        ? {
            code: 'E_RECIPE_NOT_FOUND',
            message: `no recipe ${/\.ya?ml$/i.test(path) ? '' : 'or folder '}"${path}"`,
            fix: await missingFix(path),
          }
        : { code: 'E_RECIPE_UNREADABLE', message: `cannot read the recipe "${path}": ${message}`, ...encoding(error) };
    throw new FinetuneError(span ? problemAt(span, problem) : problem, { cause: error });
  }
}

/** The message, place and fix of a recipe that is not text. */
function encoding(error: unknown): Partial<Problem> {
  const [problem] = error instanceof FinetuneError ? error.problems : [];
  return problem ? { ...problem, code: 'E_RECIPE_UNREADABLE' } : {};
}

async function missingFix(path: string): Promise<string> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => undefined);
  if (!names) return `there is no folder "${folder}" either`;
  const recipes = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  const near = nearest(basename(path), recipes);
  if (near !== undefined) return `did you mean "${join(folder, near)}"?`;
  return recipes.length > 0 ? `recipes in "${folder}": ${recipes.join(', ')}` : `"${folder}" has no recipes`;
}

/** Options that name a file or folder: a relative path counts from the folder of the recipe in which it is written. */
const PATHS = ['data.root', 'data.photos', 'data.synthetic.root', 'data.synthetic.photos', 'addClasses.replay.root'];

function withAbsolutePaths(located: Located): Located {
  const absolute = (scheme: '' | 'file:' | 'run:') => (value: Located) => {
    if (value.kind !== 'scalar' || typeof value.value !== 'string') return value;
    const path = value.value.slice(scheme.length);
    if (path === '' || !value.value.startsWith(scheme)) return value;
    return { ...value, value: scheme + resolve(value.span.source.folder, path) };
  };
  const rooted = PATHS.reduce((changed, path) => changeAt(changed, path.split('.'), absolute('')), located);
  const weights = ['model', 'weights'];
  return changeAt(changeAt(rooted, weights, absolute('file:')), weights, absolute('run:'));
}
