import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadRecipe } from '../../src/recipe/load.js';
import { ownData } from '../../src/run/recipeData.js';
import { recipeModel } from '../../src/run/recipeModel.js';
import { saveModel } from '../../src/train/modelWeights.js';

/** Writes a run as one that was stopped after its first epoch leaves it, with random weights. */
export async function makeRun(directory: string, recipeText: string): Promise<string> {
  await mkdir(join(directory, 'checkpoints'), { recursive: true });
  await writeFile(join(directory, 'recipe.yaml'), recipeText);
  const recipe = await loadRecipe(join(directory, 'recipe.yaml'));
  const { model } = await recipeModel(recipe, await ownData(recipe));
  await saveModel(model, join(directory, 'checkpoints', 'best.safetensors'));
  return directory;
}
