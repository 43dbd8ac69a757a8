import { expect, test } from '@jest/globals';
import { parseRecipe } from '../../src/recipe/load.js';

const HEAD = 'task: detection\ndata: {format: synthetic}\n';

test('--set key=null takes an option out of the recipe, where null is not one of its values', async () => {
  const text = `${HEAD}model: {weights: imagenet.lite0}\ntrain: {batch: 3, clipNorm: 2, freeze: {stages: 2}}\n`;
  const keys = ['model.weights', 'model.allowMissing', 'train.batch', 'train.freeze', 'train.clipNorm'];
  const { model, train } = await parseRecipe(text, 'a.yaml', { set: keys.map((key) => `${key}=null`) });
  expect([model.weights, model.allowMissing, train.batch, train.freeze.stages]).toEqual([undefined, [], 8, 0]);
  expect(train.clipNorm).toBeNull();
});

test.each([
  ['data.format=null', 'E_RECIPE_MISSING_KEY'],
  ['train.batch=', 'E_RECIPE_VALUE'],
])('--set %s is refused with %s', async (set, code) => {
  await expect(parseRecipe(HEAD, 'a.yaml', { set: [set] })).rejects.toThrow(expect.objectContaining({ code }));
});
