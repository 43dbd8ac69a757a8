import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { initRecipe } from '../../src/init/initRecipe.js';
import { tools } from '../data/formats/tools.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const root = temporaryFolder();

const QUICK = ['Roboflow YOLO', 'CVAT COCO', 'LabelImg VOC', 'Hugging Face image folder'];
const chosen = Object.entries(tools).filter(([name]) => process.env.FINETUNE_SLOW === '1' || QUICK.includes(name));

describe('the folder of each program becomes a recipe that opens', () => {
  test.each(chosen)('%s', async (name, { format, write }) => {
    const folder = join(root, name);
    await write(folder);
    const { recipe, facts, text } = await initRecipe(folder, { file: join(root, `${name}.yaml`) });
    expect(recipe.data.format).toBe(format);
    expect(facts.parts.val).toBeGreaterThan(0);
    expect(text).toContain(`format: ${format}`);
  });
});
