import { describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/cli/program.js';
import { initRecipe } from '../../src/init/initRecipe.js';
import { ownData } from '../../src/run/recipeData.js';
import { thirtyImages } from '../data/formats/smallSet.js';
import { tools } from '../data/formats/tools.js';
import type { Tool } from '../data/formats/tools/shared.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const root = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(root, 'cache');
mkdirSync(join(root, 'cache'));

const QUICK = ['Roboflow YOLO', 'CVAT COCO', 'LabelImg VOC', 'Hugging Face parquet'];
const isSlow = process.env.FINETUNE_SLOW === '1';
const chosen = Object.entries(tools).filter(([name]) => isSlow || QUICK.includes(name));

/** The boxes of each image, by its size, which no two have in common. */
const truth = (called: Tool['called'] = {}): string[] =>
  thirtyImages.map(
    ({ width, height, boxes }) =>
      `${width}x${height} ${boxes
        .map(({ name, box: [x, y, w, h] }) => `${called[name] ?? name} ${[x, y, x + w, y + h].join(',')}`)
        .sort()
        .join(' ')}`,
  );

/** Tables have no row for an image without boxes. */
const withBoxes = (images: readonly string[]): string[] => images.filter((image) => image.includes(',')).sort();

/** A tiny network and two epochs. */
const QUICKLY = [
  'engine=wasm',
  'data.size=96',
  `model={head: ssdlite, backbone: ${tinyBackbone}}`,
  'train={epochs: 2, batch: 8, warmup: {steps: 1}}',
  'report.images=1',
];

describe('the folder of each program becomes a recipe that has the same boxes and classes', () => {
  test.each(chosen)(
    '%s',
    async (name, { format, called, write }) => {
      const folder = join(root, name);
      await write(folder, thirtyImages);
      const file = join(root, `${name}.yaml`);
      const { recipe } = await initRecipe(folder, { file });
      expect(recipe.data.format).toBe(format);
      const { train, val, test: held } = await ownData(recipe);
      const read = [train, val, ...(held ? [held] : [])].flatMap(({ annotations, categories }) =>
        annotations.map(({ width, height, boxes, classes }) => {
          const objects = classes.map((index, i) => {
            const corners = [...boxes.subarray(4 * i, 4 * i + 4)].map(Math.round);
            return `${categories[index]!.name} ${corners.join(',')}`;
          });
          return `${width}x${height} ${objects.sort().join(' ')}`;
        }),
      );
      expect(withBoxes(read)).toEqual(withBoxes(truth(called)));
      expect(val.annotations.length).toBeGreaterThan(2);
      if (!isSlow) return;
      const directory = join(root, `${name} run`);
      expect(await run([folder, '--out', directory, ...QUICKLY.flatMap((one) => ['--set', one])])).toBe(0);
      const metrics = JSON.parse(await readFile(join(directory, 'metrics.json'), 'utf8')) as object;
      expect(metrics).toMatchObject({ epochs: 2 });
    },
    300_000,
  );
});
