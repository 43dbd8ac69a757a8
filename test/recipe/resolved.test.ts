import { expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { recipeIdentity } from '../../src/recipe/differences.js';
import { resolvedRecipeText } from '../../src/recipe/resolved.js';
import { recipeSchema, type Recipe } from '../../src/recipe/schema.js';

const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }).filter((string) => !string.includes('\uFEFF')),
  fc.constantFrom(
    'yes',
    'null',
    '~',
    '1e3',
    '0x10',
    ' a ',
    '- a',
    '#b',
    'a: b',
    "it's",
    '*x',
    '!y',
    'a\nb',
    '2001-01-01',
  ),
);
const absolute = text.map((name) => `/${name.replaceAll(/[/.]/g, '_')}`);
const part = fc.record({ annotations: text, images: text });
const common = {
  size: fc.oneof(fc.integer({ min: 32, max: 4096 }), fc.tuple(fc.integer({ min: 32, max: 99 }), fc.constant(64))),
  categories: fc.uniqueArray(text, { minLength: 1 }),
  augment: fc.oneof(fc.constant(false), fc.record({ flip: fc.double({ min: 0, max: 1, noNaN: true }) })),
};
const data = fc.oneof(
  fc.record({ format: fc.constant('synthetic'), root: absolute, ...common }, { requiredKeys: ['format'] }),
  fc.record({ format: fc.constant('coco'), root: absolute, train: part, val: part, ...common }, { requiredKeys: ['format', 'root', 'train', 'val'] }), // prettier-ignore
  fc.record({ format: fc.constant('voc'), root: absolute, train: text, val: text, ...common }, { requiredKeys: ['format', 'root'] }), // prettier-ignore
);
const recipes = fc
  .record({
    task: fc.constant('detection'),
    seed: fc.integer({ min: 0, max: 0xffffffff }),
    out: text,
    data,
    model: fc.record({ classLoss: fc.constantFrom('sigmoid', 'softmax'), allowMissing: fc.array(text) }),
    train: fc.record({
      clipNorm: fc.oneof(fc.constant(null), fc.double({ min: 1e-300, noNaN: true, noDefaultInfinity: true })),
      lr: fc.record({ value: fc.double({ min: 1e-9, max: 10, noNaN: true }) }),
    }),
  })
  .map((input) => recipeSchema.parse(input));

test('the resolved recipe, loaded again, is the same recipe', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      expect(await parseRecipe(resolvedRecipeText(recipe), '/elsewhere/recipe.yaml')).toEqual(recipe);
    }),
    { numRuns: 100 },
  );
});

test('it has every option that has an effect, and no other', async () => {
  const recipe = await parseRecipe('task: detection\ndata: {format: synthetic}\n', 'a.yaml');
  const written = resolvedRecipeText(recipe);
  expect(written).toMatch(/^# Every option of this run, with the defaults written out\.\n\ntask: detection\n/);
  expect(written).toContain('  hardNegatives: 3\n');
  expect(written).not.toMatch(/focal|cacheLimit/);
});

test('an option that a later version added identifies a recipe only with another value than its default', async () => {
  const one = await parseRecipe('task: classification\ndata: { format: imageFolder, root: /x }\nmodel: { backbone: resnet18 }\n', 'test.yaml'); // prettier-ignore
  const { syncBatchNorm, ...before } = one.train;
  const identityOf = (train: object): string => recipeIdentity({ ...one, train } as Recipe);
  expect(syncBatchNorm).toBe(false);
  expect(identityOf(before)).toBe(recipeIdentity(one));
  expect(identityOf({ ...before, syncBatchNorm: true })).not.toBe(recipeIdentity(one));
});
