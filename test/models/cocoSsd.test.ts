import { beforeAll, expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { createDetection } from '../../src/evaluate/createTask.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel, type Model } from '../../src/tasks/model.js';
import { withWeights } from '../../src/train/modelWeights.js';
import { openPredictor } from '../../src/evaluate/predictor.js';
import { randomStream } from '../../src/random.js';
import { COCO_COLUMNS } from '../../src/categories/coco.js';
import { catalog } from '../../src/weights/catalog.js';
import type { Category } from '../../src/data/sample.js';
import type { Detection } from '../../src/tasks/detection/detector.js';
import { openCocoSsd } from '../weights/cocoSsd.js';

let model: Model<readonly Detection[]>;
/** The file's 90 columns, ten of them without a name. */
const categories = COCO_COLUMNS.map(
  (name, i) => ({ id: i + 1, name: name || `unnamed ${i + 1}` }) as unknown as Category,
);

beforeAll(async () => {
  const fresh = createModel(createDetection({
    backbone: 'tf_mobilenetv2_100', ...detectorDefaults.ssdlite, numClasses: COCO_COLUMNS.length, size: [300, 300],
    scoreThreshold: 0.001, maxDetections: 100,
  }), { categories, seed: 1 }); // prettier-ignore
  ({ model } = await withWeights(fresh, catalog[0]!.uri));
});

test("the COCO model's raw outputs equal the GraphModel's", async () => {
  const pixels = new Float32Array(300 * 300 * 3);
  const random = randomStream(1, 'image');
  // Low frequencies and noise, so that every layer has something to see.
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = Math.max(0, Math.min(255, 128 + 90 * Math.sin(i / 1700) + 60 * random.normal()));
  const oracle = await openCocoSsd();
  const wanted = await oracle.run(pixels.map((value) => value / 127.5 - 1));
  const session = await openPredictor(model, await openBackend(), { batch: 1 });
  const { boxes, logits } = await session.run('evaluate', { image: pixels });
  session.dispose();
  oracle.dispose();
  const difference = (a: Float32Array, b: Float32Array): number =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  expect(boxes).toHaveLength(wanted.boxDeltas.length);
  expect(difference(boxes!, wanted.boxDeltas)).toBeLessThan(1e-3);
  const named = COCO_COLUMNS.map(Boolean);
  expect(
    difference(
      logits!.filter((_, i) => named[i % 90]),
      wanted.logits.filter((_, i) => named[i % 90]),
    ),
  ).toBeLessThan(1e-3);
}, 120_000);
