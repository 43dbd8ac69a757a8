import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadRecipe } from '../../src/recipe/load.js';

const folder = new URL('../../recipes/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('every recipe of recipes/', () => {
  test.each(files)('%s has no mistake', async (name) => {
    const recipe = await loadRecipe(new URL(name, folder).pathname);
    expect(recipe.train.epochs).toBeGreaterThan(0);
  });
});
