import { expect, test } from '@jest/globals';
import { createModel } from '../../src/api/createModel.js';
import { randomStream } from '../../src/random.js';

const size = [32, 32] as const;
const random = randomStream(1, 'api');
const images = Uint8Array.from({ length: 2 * 32 * 32 * 3 }, () => random.integer(0, 256));

test('a classifier says the most probable classes of each image, best first', async () => {
  const model = await createModel({
    task: 'classification',
    backbone: 'mobilenetv2_035',
    classes: ['a', 'b', 'c'],
    size,
  });
  const predicted = await model.predict(images);
  expect(predicted).toHaveLength(2);
  for (const classes of predicted) {
    expect(classes.map(({ label }) => label).sort()).toEqual(['a', 'b', 'c']);
    expect(classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(classes[0]!.probability).toBeGreaterThanOrEqual(classes[1]!.probability);
  }
  await expect(model.predict(images.subarray(1))).rejects.toMatchObject({ code: 'E_FEED' });
  model.dispose();
}, 30_000);

test('without a task it is a detector', async () => {
  const model = await createModel({ backbone: 'mobilenetv2_035', classes: 2, size: [96, 96], scoreThreshold: 0 });
  const [found] = await model.predict(new Uint8Array(96 * 96 * 3));
  expect(found![0]).toMatchObject({
    box: expect.any(Array),
    score: expect.any(Number),
    label: expect.stringMatching(/^class [01]$/),
  });
  model.dispose();
}, 30_000);
