import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finetune, type FinetuneOptions } from '../../src/finetune.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { openRunDirectory } from '../../src/run/directory.js';
import { shareBatches } from '../../src/run/workers.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { placesOf } from '../../src/workers/addresses.js';
import { ALONE } from '../../src/workers/workers.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { openEngines } from '../engines.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { freeAddresses } from './freeAddresses.js';

const root = temporaryFolder();
const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');

const recipeOf = (set: readonly string[] = []) =>
  parseRecipe(
    `
task: detection
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 12 }, val: { images: 3 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { batch: 2, epochs: 2 }
evaluate: { batch: 2 }
report: { images: 0 }
`,
    'drawn.yaml',
    { set },
  );

/** Runs the recipe with several workers, all of them in this process. */
async function train(count: number, directory: string, options: FinetuneOptions = {}): Promise<void> {
  const recipe = await recipeOf();
  const list = await freeAddresses(count);
  const places = count === 1 ? [undefined] : list.map((_, rank) => placesOf(list, rank));
  await Promise.all(places.map((workers) => finetune(recipe, { ...options, directory, workers })));
}
const tensorsOf = async (directory: string) =>
  (await readSafetensors(join(directory, 'checkpoints', 'last.safetensors'))).tensors;

(hasTensorflow ? test : test.skip)(
  'a run that fewer workers continue ends with the same bytes, and more than before are refused',
  async () => {
    const [whole, stopped] = [join(root, 'whole'), join(root, 'stopped')];
    await train(2, whole);
    await train(2, stopped, { until: 1 });
    const run = await openRunDirectory(stopped, { resume: true });
    const refused = (rank: number) => expect(shareBatches(run, true, { ...ALONE, rank, count: 3 })).rejects;
    const code = 'E_RESUME_WORKERS';
    await refused(0).toMatchObject({ code, message: expect.stringContaining(stopped) as unknown });
    await refused(2).toMatchObject({ code, message: expect.not.stringContaining(stopped) as unknown }); // its directory is a temporary one
    await run.close();
    await train(1, stopped, { resume: true });
    expect(await tensorsOf(stopped)).toEqual(await tensorsOf(whole));
    // The first run's validation part was shared out; the other's last epoch was scored by one process.
    const epochsOf = async (directory: string) =>
      (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
        .split('\n')
        .filter((line) => line.includes('"epoch",'))
        .map((line) => ({ ...(JSON.parse(line) as object), seconds: 0 }));
    const epochs = await epochsOf(whole);
    expect(epochs).toHaveLength(2);
    expect(await epochsOf(stopped)).toEqual(epochs);
  },
  60_000,
);

(hasTensorflow ? test : test.skip)(
  'workers with another recipe or other images than the first one end all of them, with what differs',
  async () => {
    for (const [i, [setting, what]] of [
      ['train.lr.value=0.5', /train\.lr\.value: .* on worker 0, 0\.5 on worker 1/],
      ['data.train.images=11', /training part: 12 images, .* on worker 0, 11 images, .* on worker 1/],
    ].entries()) {
      const list = await freeAddresses(2);
      const recipes = [await recipeOf(), await recipeOf([setting as string, `data.root=${join(root, `other-${i}`)}`])];
      const directory = join(root, `differ-${i}`);
      const ends = await Promise.allSettled(
        recipes.map((recipe, rank) => finetune(recipe, { directory, workers: placesOf(list, rank) })),
      );
      for (const end of ends) {
        const message = expect.stringMatching(what as RegExp) as unknown as string;
        expect(end).toMatchObject({ status: 'rejected', reason: { code: 'E_WORKERS_DIFFER', message } });
      }
    }
  },
  60_000,
);
