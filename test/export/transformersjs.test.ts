import { beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import type { FoundClass } from '../../src/tasks/found.js';
import { writeColourFolders } from '../data/colourFolders.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
const makeClassifier = (name: string, data: string): Promise<string> =>
  makeRun(
    join(folder, name),
    `task: classification\ndata: { format: imageFolder, root: ${folder}/colours, ${data} }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
const read = async (directory: string, name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(directory, name), 'utf8')) as unknown;

/** What the stock pipeline finds. It runs in a process of its own, since it is no module for jest. */
async function classify(directory: string, photo: string): Promise<{ label: string; score: number }[]> {
  const require = createRequire(import.meta.url);
  const place = require.resolve('@huggingface/transformers');
  const script = `import { env, pipeline } from ${JSON.stringify(place)};
    env.allowRemoteModels = false;
    const classify = await pipeline('image-classification', ${JSON.stringify(directory)});
    console.log(JSON.stringify(await classify(${JSON.stringify(photo)})));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as { label: string; score: number }[];
}

let photo: string;
beforeAll(async () => {
  await writeColourFolders(join(folder, 'colours'));
  photo = join(folder, 'colours/val/red/0.png');
});

describe('transformersjs', () => {
  test.each([
    [
      'crop',
      'size: 32, cropFraction: 0.8',
      { size: { shortest_edge: 40 }, do_center_crop: true, crop_size: { height: 32, width: 32 }, resample: 3 },
    ],
    [
      'stretch',
      'size: [32, 48], resize: stretch, interpolation: bilinear',
      { size: { height: 32, width: 48 }, do_center_crop: false, resample: 2 },
    ],
  ] as const)(
    '%s is a folder that the stock pipeline loads',
    async (name, data, preprocessor) => {
      const run = await makeClassifier(name, data);
      const { directory, card } = await exportModel(run, { for: 'transformersjs' });
      expect(Object.keys(card.files)).toEqual(['onnx/model.onnx', 'config.json', 'preprocessor_config.json']);
      expect(card).toMatchObject({
        input: { name: 'pixel_values', layout: 'NCHW', range: [0, 1] },
        outputs: [{ name: 'logits' }],
      });
      expect(await read(directory, 'config.json')).toMatchObject({ id2label: { 0: 'blue', 1: 'red' } });
      expect(await read(directory, 'preprocessor_config.json')).toMatchObject({
        do_rescale: true,
        do_normalize: false,
        ...preprocessor,
      });
      const model = await openModel(run, { scoreThreshold: 0 });
      const expected = (await model.predict(photo)) as FoundClass[];
      model.dispose();
      const found = await classify(directory, photo);
      expect(found.map(({ label }) => label)).toEqual(expected.map(({ category }) => category));
      for (const [i, { probability }] of expected.entries()) expect(found[i]!.score).toBeCloseTo(probability, 4);
    },
    60_000,
  );

  test('is refused where the preprocessor would do something else', async () => {
    const boxed = await makeClassifier('letterbox', 'size: 32, resize: letterbox');
    const wide = await makeClassifier('wide', 'size: [32, 48]');
    const data = `{ format: synthetic, root: ${folder}/drawn, train: { images: 1 }, val: { images: 1 }, size: 64 }`;
    const detector = await makeRun(
      join(folder, 'detector'),
      `task: detection\ndata: ${data}\nmodel: { backbone: ${tinyBackbone} }\n`,
    );
    for (const [run, message] of [
      [boxed, 'data.resize: letterbox'],
      [wide, 'data.resize: crop with an input of 48x32 pixels'],
      [detector, 'this is a model for detection'],
    ] as const)
      await expect(exportModel(run, { for: 'transformersjs' })).rejects.toMatchObject({
        code: 'E_EXPORT_TARGET',
        message: expect.stringContaining(message),
        problems: [{ where: { file: join(run, 'checkpoints', 'best.safetensors') } }],
      });
  }, 60_000);
});
