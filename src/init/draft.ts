import { basename, dirname, isAbsolute, parse, relative, resolve } from 'node:path';
import { FinetuneError } from '../errors.js';
import { parseRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { ownData, type RecipeData } from '../run/recipeData.js';
import type { InitOptions } from './options.js';
import type { Recognised } from './recognise.js';
import { renderRecipe } from './render.js';
import { setting, type Setting } from './setting.js';

/** The options of `data` that the layout was recognised with. Throws E_INIT_LAYOUT if there is no training part. */
export function dataSettings({ chosen: { data, parts, why } }: Recognised, file: string): Setting[] {
  if (!parts.includes('train') && data.format !== 'synthtext') throw withoutTrain(data, parts, why);
  const { root, format, ...options } = data;
  const folder = dirname(resolve(file));
  const near = relative(folder, root).replaceAll('\\', '/');
  const isFar = near.startsWith('../') && resolve(folder, /^(?:\.\.\/)+/.exec(near)![0]) === parse(root).root;
  const short = near === '' ? '.' : isFar || isAbsolute(near) ? root : near;
  const settings = [
    setting('data.format', format, why),
    setting('data.root', short, short === root ? undefined : 'relative to this file'),
    ...Object.entries(options).map(([name, value]) => setting(`data.${name}`, value)),
  ];
  if (parts.includes('val')) return settings;
  return [
    ...settings,
    setting('data.split.val', 0.2, 'the data set has no validation part: a fifth is held out'),
    setting('data.split.by', 'group', 'classes are spread, near-duplicates stay in one part'),
  ];
}

const withoutTrain = (
  { format, root }: Recognised['chosen']['data'],
  parts: readonly string[],
  why: string,
): FinetuneError =>
  new FinetuneError({
    code: 'E_INIT_LAYOUT',
    message: `the folder is ${format}, because ${why}; but ${parts.length > 0 ? `of its parts only ${parts.join(' and ')} could be read` : 'none of its parts could be read'}`,
    where: { file: root },
    fix: 'call the folder or file to train on train, and look whether all of its annotations have the same layout',
  });

/** The recipe of some settings, of which those that a person has set on the command line come first. */
export const recipeOf = (settings: readonly Setting[], { file, set = [] }: InitOptions): Promise<Recipe> =>
  parseRecipe(renderRecipe(settings, []), file, { set });

export interface Draft {
  readonly settings: readonly Setting[];
  readonly recipe: Recipe;
  readonly data: RecipeData;
}

/** Problems that a recipe may leave out and count. */
const DROPS = [
  { option: 'data.invalidBoxes', codes: /_BOX$/, what: 'boxes without area or outside their image' },
  { option: 'data.brokenImages', codes: /^E_IMAGE_/, what: 'images that are missing or cannot be decoded' },
] as const;

/** The option that leaves out classes. */
export const DROPPED_CLASSES = 'data.categories.drop';

/** Opens the data of a draft. Where single boxes or images are wrong, they are left out, and the setting says how
 *  many; so are class folders without an image, if there are more with some. Throws the problems of any other kind. */
export async function openDraft(draft: readonly Setting[], options: InitOptions): Promise<Draft> {
  const open = async (settings: readonly Setting[]): Promise<Draft> => {
    const recipe = await recipeOf(settings, options);
    return { settings, recipe, data: await ownData(recipe, { signal: options.signal }) };
  };
  let settings = draft;
  let first: FinetuneError | undefined;
  for (;;) {
    try {
      const opened = await open(settings);
      const empty = settings.find(({ path }) => path === DROPPED_CLASSES)?.value as readonly string[] | undefined;
      const isMost = empty !== undefined && empty.length >= opened.data.categories.length;
      if (first && (isMost || isMuch(opened.data))) throw first;
      return opened;
    } catch (error) {
      if (!(error instanceof FinetuneError)) throw error;
      first ??= error;
      const empty = error.problems.flatMap(({ code, where }) =>
        code === 'E_FOLDER_EMPTY' ? [basename(where!.file!).normalize()] : [],
      );
      const chosen = [...settings.map(({ path }) => path), ...(options.set ?? [])];
      if (empty.length > 0 && !chosen.some((path) => path.startsWith('data.categories'))) {
        const names = [...new Set(empty)];
        settings = [...settings, setting(DROPPED_CLASSES, names, 'their folders have no images')];
        continue;
      }
      if (error.problems.every(isUnlabelledTest) && settings.some(({ path, value }) => path === 'data.test' && value)) {
        settings = settings.map((one) =>
          one.path === 'data.test' ? setting('data.test', null, 'its images have no labels') : one,
        );
        continue;
      }
      const codes = error.problems.map(({ code }) => code);
      const drop = DROPS.find(
        ({ option, codes: own }) =>
          codes.some((code) => own.test(code)) && !settings.some(({ path }) => path === option),
      );
      if (!drop) throw first;
      settings = [...settings, setting(drop.option, 'drop', `${drop.what}: the report counts them`)];
    }
  }
}

/** A test part without labels has nothing to score. */
const isUnlabelledTest = ({ code, option }: FinetuneError['problems'][number]): boolean =>
  code === 'E_LABEL_FILE' && option === 'data.test';

/** Share of the images, or of the boxes, that may be left out without asking. */
const FEW = 0.1;

function isMuch({ train, val, test }: RecipeData): boolean {
  const parts = [train, val, ...(test ? [test] : [])];
  const images = parts.reduce((sum, { annotations }) => sum + annotations.length, 0);
  const objects = parts.reduce((sum, { annotations }) => sum + annotations.flatMap(({ classes }) => classes).length, 0);
  const left = (noun: RegExp): number =>
    parts
      .flatMap(({ dropped }) => Object.entries(dropped))
      .filter(([reason]) => noun.test(reason))
      .reduce((sum, [, count]) => sum + count, 0);
  const outOf = (all: number, out: number): boolean => out > FEW * (all + out);
  return (
    outOf(images, left(/^image (?:missing|cannot be decoded|has another size|could be several)/)) ||
    outOf(objects, left(/^box (?:without area|outside)/))
  );
}
