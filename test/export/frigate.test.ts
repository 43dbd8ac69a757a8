import { beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { decodeYolonas } from '../../src/export/targets/frigate/decode.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
let run: string;

beforeAll(async () => {
  const data = `{ format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 4 }, size: [64, 96], categories: [fish, house] }`;
  const evaluate = '{ scoreThreshold: 0.1, maxDetections: 30 }';
  run = await makeRun(
    join(folder, 'run'),
    `task: detection\ndata: ${data}\nmodel: { backbone: ${tinyBackbone} }\nevaluate: ${evaluate}\n`,
  );
}, 60_000);

describe('frigate as ONNX', () => {
  test('finds the objects of the checkpoint by its published decoding', async () => {
    const { directory, card } = await exportModel(run, { for: 'frigate', format: 'onnx' });
    expect(card).toMatchObject({
      for: 'frigate',
      format: 'onnx',
      input: { name: 'image', shape: [1, 3, 64, 96], layout: 'NCHW', type: 'float32', range: [0, 255] },
      outputs: [{ name: 'detections', shape: [30, 7] }],
    });
    const { metric, maxDifference } = card.parity;
    expect(maxDifference).toBeLessThan(1e-3);
    expect(metric!.exported).toBeCloseTo(metric!.checkpoint, 3);

    const photo = { data: new Uint8Array(96 * 64 * 3).map((_, i) => (i * 7919) % 256), width: 96, height: 64 };
    const model = await openModel(run, { scoreThreshold: 0.1 });
    const expected = (await model.predict(photo)) as FoundObject[];
    model.dispose();
    const planes = Float32Array.from(
      { length: photo.data.length },
      (_, i) => photo.data[(i % (96 * 64)) * 3 + Math.floor(i / (96 * 64))]!,
    );
    const session = await ort.InferenceSession.create(join(directory, 'model.onnx'));
    const { detections } = await session.run({ image: new ort.Tensor('float32', planes, [1, 3, 64, 96]) });
    const { boxes, scores, classes } = decodeYolonas(detections!.data as Float32Array, 20);
    const best = expected.slice(0, 20);
    expect(best.length).toBeGreaterThan(0);
    expect(scores).toHaveLength(best.length);
    for (const [i, { score }] of best.entries()) expect(scores[i]).toBeCloseTo(score, 4);
    const [x, y, width, height] = best[0]!.box;
    const clipped = Array.from(boxes.subarray(0, 4), (side, i) => Math.min(i % 2 === 0 ? 96 : 64, Math.max(0, side)));
    for (const [i, side] of [x, y, x + width, y + height].entries()) expect(clipped[i]).toBeCloseTo(side, 1);
    expect(['fish', 'house'][classes[0]!]).toBe(best[0]!.category);
  }, 60_000);

  test('reads rows up to the first one without a class, and no more than 20', () => {
    const row = (score: number, category: number) => [0, 1, 2, 3, 4, score, category];
    const output = Float32Array.from([...row(0.9, 1), ...row(0.8, 0), ...row(0, -1), ...row(0.7, 0)]);
    expect(decodeYolonas(output, 20)).toMatchObject({
      scores: [expect.closeTo(0.9), expect.closeTo(0.8)],
      classes: [1, 0],
    });
    expect(
      decodeYolonas(Float32Array.from(Array.from({ length: 30 }, () => row(0.5, 1)).flat()), 20).scores,
    ).toHaveLength(20);
  });
});
