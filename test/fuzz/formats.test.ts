import { describe, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatasets, type DataOptions } from '../../src/data/dataset.js';
import { detectLayouts } from '../../src/data/formats/detect/detectLayouts.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { smallSet } from '../data/formats/smallSet.js';
import { tools } from '../data/formats/tools.js';
import * as fc from '../fastCheck.js';
import { damaged, isHandled } from './damage.js';

const root = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(root, 'cache');
mkdirSync(join(root, 'cache'));

/** Cases for each file of labels; `npm run fuzz -- --times N` multiplies them. */
const runs = { numRuns: 1 };

describe.each(Object.entries(tools))('%s', (name, { write }) => {
  test('ends with data or an error of ours, whatever is changed in a file of labels', async () => {
    const folder = join(root, name);
    await write(folder, smallSet);
    const { data } = (await detectLayouts(folder))[0]!;
    const labels = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(?:json|jsonl|xml|txt|csv|ya?ml|names|data|tar|parquet)$/.test(file),
    );
    const options = { ...data, val: data['val'] ?? data['train'] } as unknown as DataOptions;
    for (const label of labels.slice(0, 6)) {
      const file = join(folder, label);
      const sound = readFileSync(file);
      await fc.assert(
        fc.asyncProperty(damaged(sound), fc.boolean(), async (bad, drop) => {
          writeFileSync(file, bad);
          const policies = drop ? { brokenImages: 'drop', invalidBoxes: 'drop' } : {};
          await isHandled(() => openDatasets({ ...options, ...policies } as DataOptions));
          await isHandled(() => detectLayouts(folder));
        }),
        runs,
      );
      writeFileSync(file, sound);
    }
  });
});
