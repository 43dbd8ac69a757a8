import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { numberCategories } from '../../src/data/categories.js';
import { createClassification, createDetection } from '../../src/evaluate/createTask.js';
import { openModel } from '../../src/predict/openModel.js';
import { randomStream } from '../../src/random.js';
import { serve } from '../../src/serve/serve.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel } from '../../src/tasks/model.js';
import { saveModel } from '../../src/train/modelWeights.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyTable } from '../tinyBackbone.js';

/** The clients of DeepStack that pip has read the answers. They need DEEPSTACK_PYTHON, an interpreter with
 *  deepStack/requirements.txt. */
const python = process.env['DEEPSTACK_PYTHON'];
const slowly = process.env['FINETUNE_SLOW'] === '1' && python !== undefined ? test : test.skip;

const folder = temporaryFolder();
const ask = fileURLToPath(new URL('deepStack/ask.py', import.meta.url));
const TOKEN = 'a secret';
const [width, height] = [90, 60];
const categories = numberCategories(['dog', 'cat']);
const photo = join(folder, 'photo.jpg');

async function answers(task: 'detection' | 'classification', least: number): Promise<Record<string, unknown>> {
  const random = randomStream(1, 'photo');
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  await writeFile(photo, await sharp(data, { raw: { width, height, channels: 3 } }).jpeg().toBuffer()); // prettier-ignore
  const serving = await serve(join(folder, task), { port: 0, workers: 0, token: TOKEN, scoreThreshold: 0.01 });
  try {
    const argv = [ask, String(serving.port), TOKEN, task, String(least), photo];
    return JSON.parse((await promisify(execFile)(python!, argv)).stdout) as Record<string, unknown>;
  } finally {
    await serving.close();
  }
}

describe('clients of DeepStack read', () => {
  slowly(
    'the objects of a detector',
    async () => {
      const options = { ...detectorDefaults.ssdlite, backbone: tinyTable, size: [64, 64], numClasses: 2 } as const;
      await saveModel(createModel(createDetection(options), { categories, seed: 1 }), join(folder, 'detection'));
      const found = await answers('detection', 0);
      const model = await openModel(join(folder, 'detection'), { scoreThreshold: 0.01 });
      const objects = await model.predict(photo);
      model.dispose();
      const within = (value: number, most: number) => Math.min(most, Math.max(0, Math.round(value)));
      const expected = objects.map((one) => {
        if (!('box' in one)) throw new Error('no object');
        const [x, y, w, h] = one.box;
        const corners = [within(x, width), within(y, height), within(x + w, width), within(y + h, height)];
        return [one.category, expect.closeTo(one.score, 5), ...corners];
      });
      expect(expected.length).toBeGreaterThan(20);
      expect(found).toMatchObject({
        deepstack_python: expected,
        deepstack_sdk: expected,
        camera_box: expected.slice(0, 20),
        refused: [expect.stringContaining('401'), expect.stringContaining('401')],
      });
    },
    60_000,
  );

  slowly(
    'the class of a classifier',
    async () => {
      const plain = { labelSmoothing: 0, dropout: 0, stochasticDepth: 0 };
      const task = createClassification({ backbone: tinyTable, size: [32, 32], numClasses: 2, ...plain });
      await saveModel(createModel(task, { categories, seed: 1 }), join(folder, 'classification'));
      const found = await answers('classification', 0);
      const model = await openModel(join(folder, 'classification'));
      const [best] = await model.predict(photo);
      model.dispose();
      if (!best || !('probability' in best)) throw new Error('no class');
      const expected = [best.category, expect.closeTo(best.probability, 5)];
      expect(found).toMatchObject({ deepstack_python: expected, deepstack_sdk: expected });
    },
    60_000,
  );
});
