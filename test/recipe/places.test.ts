import { expect, test } from '@jest/globals';
import { FinetuneError } from '../../src/errors.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { locating } from '../../src/recipe/places.js';

const text = `task: detection
data: { format: synthetic }
train:
  groups:
    - pattern: backbone.*
    - pattern: neck.*
`;
const failing = async (option: string, set: readonly string[] = []) => {
  const recipe = await parseRecipe(text, 'recipe.yaml', { set });
  const problem = { code: 'E_GROUP_PATTERN', message: 'matches nothing', option } as const;
  return locating(recipe, () => Promise.reject(new FinetuneError(problem))).catch((error: unknown) => error);
};

test('what goes wrong long after the recipe was read is found where its option stands', async () => {
  expect(await failing('train.groups.1.pattern')).toMatchObject({
    problems: [{ where: { file: 'recipe.yaml', line: 6, column: 7 }, excerpt: expect.stringContaining('^^^^^^^') }],
  });
  // an option that the recipe leaves out is reported at the closest option around it
  expect(await failing('train.freeze.stages')).toMatchObject({ problems: [{ where: { line: 3, column: 1 } }] });
  expect(await failing('train.batch', ['train.batch=4'])).toMatchObject({ problems: [{ where: { file: '--set train.batch' } }] }); // prettier-ignore
});

test('other errors pass as they are', async () => {
  const recipe = await parseRecipe(text, 'recipe.yaml');
  const error = new FinetuneError({ code: 'E_DATA_EMPTY', message: 'nothing there' });
  await expect(locating(recipe, () => Promise.reject(error))).rejects.toBe(error);
});
