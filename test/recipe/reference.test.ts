import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { FinetuneError, Problem } from '../../src/errors.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { groupsOf } from '../../src/recipe/optionGroups.js';
import { exampleOf } from '../../src/recipe/optionPage.js';
import { expected, optionAt, recipeOption, type Option } from '../../src/recipe/options.js';
import { recipePages } from '../../src/recipe/reference.js';

const docs = new URL('../../docs/', import.meta.url);
const sample = { task: 'detection', data: { format: 'coco' } };

test.each(Object.entries(recipePages()))(
  'docs/%s is what the schema says (after a change: npm run docs:recipe)',
  async (name, text) => {
    if (process.env.UPDATE_DOCS) await writeFile(new URL(name, docs), text);
    expect(await readFile(new URL(name, docs), 'utf8')).toBe(text);
  },
);

const tasks = recipeOption.oneOf!.map((task) => [(task.properties!.task as Option).const as string, task] as const);
const groups = tasks.flatMap(([task, option]) => groupsOf(option).map((group) => ({ task, group })));
const isMap = ({ properties, oneOf }: Option): boolean => (properties ?? oneOf) !== undefined;
const leaves = groups.flatMap(({ task, group }) =>
  group.entries
    .filter(({ option }) => !isMap(option))
    .map((entry) => ({ task, choice: group.choice, ...entry, example: exampleOf(entry.option) })),
);
const distinct = [...new Map(leaves.map((leaf) => [`${leaf.path} ${JSON.stringify(leaf.option)}`, leaf])).values()];

test('every option has a sentence, says which values it takes, and has an example', () => {
  const options = groups.flatMap(({ group }) => [...group.entries, ...group.choices]);
  expect(options.filter(({ option }) => !/\w{3,}.*\.$/.test(option.description ?? ''))).toEqual([]);
  expect(options.filter(({ option }) => expected(option).includes('undefined'))).toEqual([]);
  expect(distinct.filter(({ example }) => example === undefined).map(({ path }) => path)).toEqual([]);
});

test('every example is a value of its option, and not the default', async () => {
  const wrong = [];
  for (const { task, choice, path, option, example } of distinct) {
    if (option.const === undefined && isDeepStrictEqual(example, option.default)) wrong.push(`${path}: the default`);
    const problems = await faultsOf(recipeWith(task, choice, path, example));
    wrong.push(...problems.map(({ message }) => `${path} ${choice}: ${message}`));
  }
  expect([...new Set(wrong)]).toEqual([]);
});

/** A recipe that has nothing but the choices that lead to an option, and the option. */
function recipeWith(task: string, choice: string, path: string, value: unknown): string {
  const chooser = ['addClasses.replay', 'data', 'model'].find((map) => path.startsWith(`${map}.`));
  const choices = [...choice.matchAll(/`(\w+): ([\w-]+)`/g)].map(([, key, chosen]) => [`${chooser}.${key}`, chosen]);
  // "`images` and `truth`": the form of the option around this one that has these keys
  const around = path.slice(0, path.lastIndexOf('.'));
  const siblings = [...choice.matchAll(/`(\w+)`/g)].map(([, key]) => [`${around}.${key}`, 'text']);
  const recipe = { task };
  for (const [at, set] of [...choices, ...siblings, [path, value]] as [string, unknown][]) {
    const keys = at.split('.');
    let map: Record<string, unknown> = recipe;
    keys.forEach((key, i) => {
      const name = key.replace('[]', '');
      const inner = i === keys.length - 1 ? set : (first(map[name]) ?? {});
      map[name] = key === name ? inner : [inner];
      map = inner as Record<string, unknown>;
    });
  }
  return stringify(recipe);
}

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);

/** What is wrong with the values of a recipe; that options are missing or contradict each other does not count. */
const faultsOf = (recipe: string): Promise<readonly Problem[]> =>
  parseRecipe(recipe, 'example.yaml').then(
    () => [],
    (error: unknown) => (error as FinetuneError).problems.filter(({ code }) => !/MISSING|CONFLICT/.test(code)),
  );

test.each([
  ['seed', 'a whole number from 0 to 4294967295'],
  ['train.optimizer.momentum', 'a number from 0 to below 1'],
  ['train.clipNorm', 'a number above 0, or null'],
  ['data.augment', 'false, or a map of options'],
  ['data.categories', 'a list of text, or {map, drop}'],
  ['data.train.images', 'text'],
  ['model.lowestLevelAnchors', 'one of 3, 6'],
  ['task', 'detection'],
])('%s takes %s', (path, words) => expect(expected(optionAt(path.split('.'), sample)!)).toBe(words));
