import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDetection } from '../../src/evaluate/createTask.js';
import type { Category, ClassIndex, Sample } from '../../src/data/sample.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import type { Results, Session } from '../../src/engine/engine.js';
import { cxcywhToXyxy, xyxy } from '../../src/geometry/box.js';
import { createModel, type Model } from '../../src/tasks/model.js';
import { withWeights } from '../../src/train/modelWeights.js';
import { createDetector } from '../../src/tasks/detection/detection.js';
import type { Detection } from '../../src/tasks/detection/detector.js';
import type { DetectionOptions } from '../../src/tasks/detection/detectors.js';
import { placeAnchors } from '../../src/tasks/detection/anchors.js';
import { targetFeeds } from '../../src/tasks/feeds.js';
import { writeSafetensors } from '../../src/weights/safetensorsFile.js';
import { values, uniform } from './formula.js';

/** test/fixtures/ssd/make.py. */
interface Golden {
  readonly size: number;
  readonly classes: number;
  readonly scales: Readonly<Record<string, number>>;
  readonly names: Readonly<Record<string, readonly number[]>>;
  readonly truth: readonly { readonly boxes: readonly number[]; readonly classes: readonly ClassIndex[] }[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly losses: Readonly<Record<string, number>>;
  readonly detections: readonly {
    readonly scores: readonly number[];
    readonly classes: readonly number[];
    readonly boxes: readonly number[];
  }[];
  readonly settings: Pick<DetectionOptions, 'scoreThreshold' | 'nmsThreshold' | 'candidates' | 'maxDetections'>;
}

const BATCH = 2;
const ABSOLUTE = 1e-4;

const models: readonly [string, DetectionOptions][] = [
  [
    'ssdlite320_mobilenet_v3_large',
    {
      ...detectorDefaults.ssdlite, backbone: 'mobilenetv3_large_reduced_100', numClasses: 4, classLoss: 'softmax',
      anchors: 'torchvision',
    },
  ],
  ['ssd300_vgg16', { ...detectorDefaults.ssd, backbone: 'vgg16_caffe', numClasses: 4 }],
]; // prettier-ignore

/** VGG's 24 million weights and 31 G multiply-adds an image wait for FINETUNE_SLOW=1. */
const daily = process.env.FINETUNE_SLOW === '1' ? models : models.slice(0, 1);

describe.each(daily)("%s is torchvision's", (name, defaults) => {
  const golden = JSON.parse(readFileSync(`test/fixtures/ssd/${name}.json`, 'utf8')) as Golden;
  const options = { ...defaults, ...golden.settings };
  const size = [golden.size, golden.size] as const;
  const categories = Array.from({ length: golden.classes }, (_, i) => ({ id: i + 1, name: `class ${i}` }) as Category);
  const samplesOf = (values: Float32Array, count: number): number[] =>
    Array.from({ length: count }, (_, i) => values[(i * 2654435761) % values.length]!);
  const farthest = (ours: readonly number[], theirs: readonly number[]): number =>
    Math.max(...theirs.map((value, i) => Math.abs(value - ours[i]!) / Math.max(1, Math.abs(value))));

  let folder: string;
  let model: Model<readonly Detection[]>;
  let session: Session;
  let results: Results;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ssd-'));
    const tensors = new Map(
      Object.entries(golden.names).map(([key, shape]) => {
        const isNorm = key.replace(/[^.]*$/, 'running_mean') in golden.names;
        const numbers = values(key, shape, isNorm).map((value) => value * (golden.scales[key] ?? 1));
        return [key, { dtype: 'F32' as const, shape, data: numbers }];
      }),
    );
    await writeSafetensors(join(folder, 'torchvision.safetensors'), tensors);
    const fresh = createModel(createDetection(options), { categories, seed: 1 });
    // The file does not name its columns, and all of them are wanted.
    ({ model } = await withWeights(fresh, `file:${join(folder, 'torchvision.safetensors')}`));

    const { outputs, loss } = model.task.build({ batch: BATCH, size, trainBatchNorm: () => false });
    const { total, parts } = loss();
    session = await compile({ all: { outputs: { ...outputs, total, ...parts } } }, await openBackend());
    await session.write(model.params);
    const image = uniform('image', BATCH * size[0] * size[1] * 3).map((value) => Math.round((value + 1) * 127.5));
    const encoded = golden.truth.map(({ boxes, classes }) =>
      model.task.encode({ boxes: xyxy(boxes), classes, ignore: classes.map(() => false) } as unknown as Sample),
    );
    results = await session.run('all', { image, ...targetFeeds(encoded, BATCH, model.task) });
  }, 300_000);

  afterAll(async () => {
    session.dispose();
    await rm(folder, { recursive: true });
  });

  test('its published names load, every one of them', () => {
    expect(model.parameters.size).toBe(Object.keys(golden.names).length);
  });

  test.each(['boxes', 'logits'])('raw outputs: %s', (key) => {
    expect(results[key]!.length).toBe(golden.shapes[key]!.reduce((product, n) => product * n, 1));
    const theirs = golden.samples[key]!;
    expect(farthest(samplesOf(results[key]!, theirs.length), theirs)).toBeLessThan(ABSOLUTE);
  });

  test('anchors', () => {
    const boxes = cxcywhToXyxy(placeAnchors(createDetector(options).anchors!.levels));
    expect([boxes.length / 4, 4]).toEqual(golden.shapes.anchors);
    expect(farthest(samplesOf(boxes, golden.samples.anchors!.length), golden.samples.anchors!)).toBeLessThan(1e-6);
  });

  test('losses', () => {
    const { box, class: classes } = golden.losses;
    expect(farthest([results.box![0]!, results.class![0]!], [box!, classes!])).toBeLessThan(ABSOLUTE);
  });

  test('decoded detections', () => {
    const origins = golden.detections.map((_, imageId) => ({
      imageId,
      placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
      originalWidth: size[1],
      originalHeight: size[0],
    }));
    for (const [i, found] of model.task.decode(results, origins).entries()) {
      const theirs = golden.detections[i]!;
      expect(found.map(({ classIndex }) => classIndex)).toEqual(theirs.classes);
      expect(
        farthest(
          found.map(({ score }) => score),
          theirs.scores,
        ),
      ).toBeLessThan(ABSOLUTE);
      expect(farthest(found.flatMap(({ box }) => [...box]), theirs.boxes)).toBeLessThan(ABSOLUTE); // prettier-ignore
    }
  });
});
