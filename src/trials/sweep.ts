import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isSeq, parseDocument } from 'yaml';
import { FinetuneError } from '../errors.js';
import { makeFolder } from '../files/folders.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { maskSecrets } from '../maskSecrets.js';
import { randomStream } from '../random.js';
import { describeDifference, recipeDifferences } from '../recipe/differences.js';
import { loadRecipe } from '../recipe/load.js';
import { resolvedRecipeText } from '../recipe/resolved.js';
import type { Recipe } from '../recipe/schema.js';
import { FINISHED, isThere } from '../run/directory.js';

export interface SweepOptions {
  /** `key=value,value …`, each value in YAML. */
  readonly over: readonly string[];
  /** Number of runs of each setting: with the recipe's seed, the next one, and so on. */
  readonly seeds: number;
  /** Number of settings to sample from the grid (default: all). */
  readonly random?: number | undefined;
}

/** Most characters of a setting in the name of a folder. */
const MAX_NAME = 100;

/** One run of a sweep. */
export interface Member {
  readonly directory: string;
  /** Options that it changes in the recipe: `key=value`. */
  readonly set: readonly string[];
}

/** The runs of a sweep, in folders of `directory`: every combination of the values, or a sample of them, with every
 *  seed. All settings come with the first seed before any comes with the second, so that a sweep that is stopped
 *  early has every setting once. Throws E_SWEEP_OVER. */
export function planSweep(directory: string, seed: number, { over, seeds, random }: SweepOptions): Member[] {
  let grid: string[][] = [[]];
  for (const { key, values } of over.map(parseOver))
    grid = grid.flatMap((setting) => values.map((value) => [...setting, `${key}=${value}`]));
  const chosen =
    random === undefined
      ? grid
      : randomStream(seed, 'sweep')
          .shuffle([...grid])
          .slice(0, random);
  return Array.from({ length: seeds }, (_, i) => seed + i).flatMap((one) =>
    chosen.map((setting) => ({
      directory: join(directory, `${setting.map(asName).join('_')}-seed-${one}`),
      set: [...setting, `seed=${one}`],
    })),
  );
}

/** A setting as part of a folder's name. Where characters had to be replaced or left out, a hash keeps different
 *  settings apart. */
function asName(setting: string): string {
  const name = maskSecrets(setting)
    .replace(/[^\w.=-]+/g, '-')
    .slice(0, MAX_NAME);
  return name === setting ? name : `${name}${createHash('sha256').update(setting).digest('hex').slice(0, 6)}`;
}

function parseOver(text: string): { key: string; values: string[] } {
  const at = text.indexOf('=');
  const list = parseDocument(`[${text.slice(at + 1)}]`);
  if (at < 1 || list.errors.length > 0 || !isSeq(list.contents) || list.contents.items.length === 0) {
    throw new FinetuneError({
      code: 'E_SWEEP_OVER',
      message: `--over takes key=value,value; got "${text}"`,
      fix: 'for example --over train.lr.value=0.01,0.03 --over train.freeze.stages=0,3',
    });
  }
  const values = (list.toJS() as unknown[]).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return { key: text.slice(0, at), values };
}

/** Makes the directory of a sweep and writes its recipe there, or opens that of an earlier sweep of the same recipe:
 *  its missing runs, and those of further values or seeds, are added. Throws E_SWEEP_OTHER, with the options that
 *  differ, if the directory holds a sweep of another recipe. */
export async function openSweep(directory: string, recipe: Recipe): Promise<void> {
  await makeFolder(directory);
  const file = join(directory, 'sweep.yaml');
  if (!(await isThere(file))) return writeAtomically(file, resolvedRecipeText(recipe));
  const differences = recipeDifferences(await loadRecipe(file), recipe);
  if (differences.length === 0) return;
  throw new FinetuneError({
    code: 'E_SWEEP_OTHER',
    message: `the directory holds a sweep of another recipe: ${differences.map(describeDifference).join('; ')}`,
    where: { file },
    fix: 'choose another --out, or repeat the command that started that sweep',
  });
}

/** Whether a member is finished, was stopped, or has not begun. */
export async function memberState({ directory }: Member): Promise<'done' | 'begun' | 'new'> {
  if (await isThere(join(directory, FINISHED))) return 'done';
  return (await isThere(directory)) ? 'begun' : 'new';
}
