import { expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ProgressEvent } from '../../src/progress.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { withRecipe } from '../../src/run/openRecipe.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const root = temporaryFolder();

test('a recipe whose test part is its validation part is told from the files; `test: null` has none', async () => {
  for (const [part, shade] of Object.entries({ train: 10, val: 90 }))
    for (const [i, name] of ['cat', 'dog'].entries()) {
      mkdirSync(join(root, part, name), { recursive: true });
      const background = { r: shade, g: 100 * i, b: 0 };
      await sharp({ create: { width: 40, height: 40, channels: 3, background } }).png().toFile(join(root, part, name, '1.png')); // prettier-ignore
    }
  const open = async (testPart: string) => {
    const said: string[] = [];
    const text = `task: classification\nengine: wasm\ndata: { format: imageFolder, root: ${root}, size: 32, test: ${testPart} }\nmodel: { backbone: ${tinyBackbone} }\ntrain: { batch: 2, epochs: 1 }\n`; // prettier-ignore
    const onProgress = (event: ProgressEvent) => 'message' in event && said.push(event.message);
    return withRecipe(await parseRecipe(text, 'a.yaml'), { onProgress }, ({ overlaps, remarks, data }) =>
      Promise.resolve({ overlaps, remarks, hasTest: 'test' in data, said }),
    );
  };
  const same = await open('val');
  expect(same.overlaps).toMatchObject([{ part: 'the test part', other: 'the validation part', images: 2, of: 2 }]);
  expect(same.said).toEqual(expect.arrayContaining([expect.stringMatching(/^2 of the 2 images of the test part/), ...same.remarks])); // prettier-ignore
  expect(same.remarks).toEqual(['The whole model starts at random: no weights are loaded.']);
  expect(await open('null')).toMatchObject({ overlaps: [], hasTest: false });
});
