import { expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { parse } from 'yaml';
import { z } from 'zod';
import { recipeJsonSchema } from '../../src/recipe/jsonSchema.js';

const root = new URL('../../', import.meta.url);
const recipes = readdirSync(new URL('recipes/', root)).filter((name) => name.endsWith('.yaml'));
const read = (name: string): Promise<string> => readFile(new URL(name, root), 'utf8');

test('schema/recipe.json is what the schema says (after a change: npm run docs:recipe)', async () => {
  const text = await format(JSON.stringify(recipeJsonSchema(), null, 2), { parser: 'json', printWidth: 120 });
  if (process.env.UPDATE_DOCS) await writeFile(new URL('schema/recipe.json', root), text);
  expect(await read('schema/recipe.json')).toBe(text);
});

const { definitions, then, else: whole, $schema } = recipeJsonSchema();
const load = (part: object) =>
  z.fromJSONSchema({ $schema, ...part, definitions } as Parameters<typeof z.fromJSONSchema>[0]);
const [alone, extending] = [load(whole), load(then)];

/** The mistakes in a recipe, by the part of the schema that is for it. */
function issuesOf(text: string): unknown[] {
  const recipe = parse(text) as object;
  return ('extends' in recipe ? extending : alone).safeParse(recipe).error?.issues ?? [];
}

test.each(recipes)('%s names the schema in its first line, and is valid by it', async (name) => {
  const text = await read(`recipes/${name}`);
  expect(text.split('\n', 1)[0]).toBe('# yaml-language-server: $schema=../schema/recipe.json');
  expect(issuesOf(text)).toEqual([]);
});

test.each([
  ['an unknown option', 'task: detection\ndata: {format: synthetic}\ntrain: {epoch: 2}', false],
  ['a value out of range', 'task: detection\ndata: {format: synthetic}\ntrain: {epochs: 0}', false],
  ['no data', 'task: detection', false],
  ['a recipe that extends another', 'extends: a.yaml\nmodel: {neck: balanced}\ntrain: {epochs: 2}', true],
  ['an unknown option of a recipe that extends another', 'extends: a.yaml\ntrain: {epoch: 2}', false],
])('%s', (_, text, valid) => {
  expect(issuesOf(text).length === 0).toBe(valid);
});
