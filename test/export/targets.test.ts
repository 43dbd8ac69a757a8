import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { run as command } from '../../src/cli/program.js';
import { TARGETS } from '../../src/export/names.js';
import { targets } from '../../src/export/targets/targets.js';
import { decodeUltralytics } from '../../src/export/targets/ultralytics/decode.js';
import { strideFor } from '../../src/export/targets/ultralytics/ultralytics.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
const data = `{ format: synthetic, root: ${folder}/drawn, train: { images: 4 }, val: { images: 4 }, size: [64, 96], categories: [fish, house] }`;
const heads = {
  ssdlite: '',
  fcos: ', channels: 8',
  nmsFree: '',
  fasterRcnn: ', channels: 8, units: 16, proposals: 20',
} as const;
const headNames = Object.keys(heads) as (keyof typeof heads)[];
const detectors = {} as Record<keyof typeof heads, string>;
let reader: string;
let soft: string;

/** Heads whose classes start with the logit of 0.01. */
const weak = ['fcos', 'nmsFree'];
const makeDetector = (head: string, more: string): Promise<string> =>
  makeRun(
    join(folder, head),
    `task: detection\ndata: ${data}\nmodel: { head: ${head}, backbone: ${tinyBackbone}${more} }\nevaluate: { scoreThreshold: ${weak.includes(head) ? 0.001 : 0.1} }\n`,
  );

beforeAll(async () => {
  for (const head of headNames) detectors[head] = await makeDetector(head, heads[head]);
  soft = await makeRun(
    join(folder, 'soft'),
    `task: detection\ndata: ${data}\nmodel: { backbone: ${tinyBackbone} }\nevaluate: { nms: softLinear }\n`,
  );
  reader = await makeRun(
    join(folder, 'reader'),
    `task: text\ndata: { format: synthetic-text, root: ${folder}/words, train: { images: 1 }, val: { images: 1 }, size: 64, evaluateSize: 64 }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
}, 60_000);

test('every name has a target, and every target is in the docs', async () => {
  expect(targets.map(({ name }) => name)).toEqual([...TARGETS]);
  const docs = await readFile(new URL('../../docs/export.md', import.meta.url), 'utf8');
  for (const name of TARGETS) expect(docs).toContain(`| \`${name}\` |`);
});

describe('--nms in', () => {
  test.each(headNames)(
    '%s returns the detections that decoding finds',
    async (head) => {
      const run = detectors[head];
      const { directory, card } = await exportModel(run, { format: 'onnx', nms: 'in' });
      expect(card.outputs.map(({ name }) => name)).toEqual(['boxes', 'scores', 'classes', 'count']);
      expect(card.decode).toMatchObject({ nms: { place: 'in' } });
      const { metric } = card.parity;
      expect(metric!.exported).toBeCloseTo(metric!.checkpoint, 3);
      const options = { scoreThreshold: weak.includes(head) ? 0.001 : 0.1 };
      const [theirs, ours] = [await openModel(run, options), await openModel(directory, options)];
      const photo = { data: new Uint8Array(96 * 64 * 3).map((_, i) => (i * 7919) % 256), width: 96, height: 64 };
      const [expected, found] = [await theirs.predict(photo), await ours.predict(photo)] as FoundObject[][];
      theirs.dispose();
      ours.dispose();
      expect(expected!.length).toBeGreaterThan(0);
      expect(found).toHaveLength(expected!.length);
      for (const [i, { score }] of expected!.entries()) expect(found![i]!.score).toBeCloseTo(score, 4);
      const near = (one: FoundObject, other: FoundObject) =>
        one.category === other.category && one.box.every((value, i) => Math.abs(value - other.box[i]!) < 0.1);
      const lost = expected!.filter((one) => !found!.some((other) => near(one, other)));
      expect(lost.length).toBeLessThanOrEqual(expected!.length * 0.05); // of equal scores at the end of the list
    },
    60_000,
  );

  test('is refused for other models', async () => {
    for (const nms of ['in', 'none'] as const)
      await expect(exportModel(reader, { format: 'onnx', nms })).rejects.toMatchObject({
        code: 'E_EXPORT_NMS',
        problems: [{ where: { file: join(reader, 'checkpoints', 'best.safetensors') } }],
      });
  });
});

test.each(['opencv', 'openvino'] as const)(
  '%s gets decoded boxes and scores',
  async (target) => {
    const { card } = await exportModel(detectors.fasterRcnn, { for: target });
    expect(card).toMatchObject({
      for: target,
      input: { name: 'image', shape: [1, 3, 64, 96], layout: 'NCHW', range: [0, 255] },
      outputs: [{ name: 'boxes' }, { name: 'scores' }],
    });
    const [boxes, scores] = card.outputs.map(({ shape }) => shape);
    expect([boxes![1], boxes![2], scores![2]]).toEqual([scores![1], 4, 2]);
    const { metric, maxDifference } = card.parity;
    expect(maxDifference).toBeLessThan(1e-3);
    expect(metric!.exported).toBeCloseTo(metric!.checkpoint, 3);
  },
  60_000,
);

describe('ultralytics', () => {
  test.each(headNames)(
    '%s is written as one output, and its own decoding finds the same',
    async (head) => {
      const { directory, card } = await exportModel(detectors[head], { for: 'ultralytics' });
      expect(directory).toBe(join(detectors[head], 'ultralytics'));
      expect(card).toMatchObject({
        format: 'onnx',
        for: 'ultralytics',
        input: { name: 'images', shape: [1, 3, 64, 96], layout: 'NCHW', range: [0, 1] },
        outputs: [{ name: 'output0' }],
      });
      expect(card.outputs[0]!.shape.slice(0, 2)).toEqual([1, 6]);
      const { metric, maxDifference } = card.parity;
      expect(maxDifference).toBeLessThan(1e-3);
      expect(metric!.exported).toBeCloseTo(metric!.checkpoint, 3);
      const bytes = await readFile(join(directory, 'model.onnx'));
      expect(bytes.includes('{0: "fish", 1: "house"}')).toBe(true);
      await expect(openModel(directory)).rejects.toMatchObject({ code: 'E_MODEL_FOLDER' });
    },
    60_000,
  );

  test('names a stride that divides both sides of the input, to which the package would enlarge them', () => {
    expect([strideFor([64, 96]), strideFor([204, 204]), strideFor([300, 320]), strideFor([31, 64])]).toEqual([
      32, 4, 4, 1,
    ]);
  });

  test('decodes centres, suppresses in each class, and takes every class of a box', () => {
    // Rows: two boxes that overlap, and one elsewhere; then the scores of two classes.
    const output = Float32Array.from([10, 11, 50, 10, 10, 50, 8, 8, 4, 8, 8, 4, 0.9, 0.8, 0.1, 0.2, 0.6, 0]);
    const found = decodeUltralytics(output, { classes: 2, confidence: 0.15, iou: 0.5, most: 10 });
    expect(found.classes).toEqual([0, 1]);
    expect([...found.boxes]).toEqual([6, 6, 14, 14, 7, 6, 15, 14]);
    expect(found.scores.map((score) => Number(score.toFixed(4)))).toEqual([0.9, 0.6]);
  });
});

describe('TFLite files that choose the objects', () => {
  const cases = (['mediapipe', 'frigate'] as const).flatMap((target) =>
    (['ssdlite', 'fcos', 'nmsFree'] as const).map((head) => [target, head] as const),
  );
  test.each(cases)(
    'for %s, of %s, find what the checkpoint finds',
    async (target, head) => {
      const { directory, card } = await exportModel(detectors[head], { for: target });
      expect(directory).toBe(join(detectors[head], target));
      expect(card).toMatchObject({
        format: 'tflite',
        for: target,
        input: { shape: [1, 64, 96, 3], type: target === 'frigate' ? 'uint8' : 'float32' },
        outputs: [
          { name: 'boxes', shape: [1, 100, 4] },
          { name: 'classes', shape: [1, 100] },
          { name: 'scores', shape: [1, 100] },
          { name: 'count', shape: [1] },
        ],
      });
      const { metric, maxDifference, engines } = card.parity;
      expect(engines.exported).toMatch(/^litert/);
      expect(maxDifference).toBeLessThan(1e-3);
      expect(metric!.exported).toBeCloseTo(metric!.checkpoint, 3);
      await expect(openModel(directory)).rejects.toMatchObject({ code: 'E_MODEL_FOLDER' });
    },
    60_000,
  );

  test('read bytes where they compute with int8', async () => {
    const { directory, card } = await exportModel(detectors.ssdlite, {
      for: 'frigate',
      quantize: 'int8',
      tolerance: 1,
    });
    expect(directory).toBe(join(detectors.ssdlite, 'frigate-int8'));
    expect(card).toMatchObject({ quantize: 'int8', input: { type: 'uint8' }, parity: { images: 4 } });
  }, 60_000);

  test('have the names of the classes behind them for MediaPipe', async () => {
    const bytes = await readFile(join(detectors.ssdlite, 'mediapipe', 'model.tflite'));
    const files = unzipSync(bytes); // an archive may have anything before it
    expect(new TextDecoder().decode(files['labels.txt'])).toBe('fish\nhouse\n');
    for (const text of ['TFLITE_METADATA', 'M001', 'number of detections']) expect(bytes.includes(text)).toBe(true);
  });

  test.each(['mediapipe', 'frigate'] as const)('are refused for %s where TFLite lacks an op', async (target) => {
    await expect(exportModel(detectors.fasterRcnn, { for: target })).rejects.toMatchObject({
      code: 'E_TFLITE_OP',
      message: expect.stringContaining('cropAndResize'),
    });
  });

  test('are refused where the model lowers scores instead', async () => {
    await expect(exportModel(soft, { for: 'mediapipe' })).rejects.toMatchObject({
      code: 'E_EXPORT_TARGET',
      message: expect.stringContaining('nms: softLinear'),
    });
  });
});

describe('--for with --quantize', () => {
  const quick = [
    ['coco-ssd', undefined, 'float16'],
    ['ultralytics', undefined, 'int8'],
  ] as const;
  const slow = [
    ['coco-ssd', undefined, 'int8'],
    ['frigate', 'onnx', 'float16'],
    ['frigate', 'onnx', 'int8'],
    ['mediapipe', undefined, 'float16'],
    ['mediapipe', undefined, 'int8'],
    ['opencv', undefined, 'float16'],
    ['openvino', undefined, 'int8'],
    ['ultralytics', undefined, 'float16'],
  ] as const;
  test.each([...quick, ...(process.env.FINETUNE_SLOW === '1' ? slow : [])])(
    'writes a detector for %s (format: %s) as %s, and measures its score',
    async (target, format, quantize) => {
      const own = join(detectors.ssdlite, `${target}-${quantize}`);
      const out = format && `${own}-${format}`; // a folder of Frigate has the same name in both formats
      const options = { for: target, format, quantize, tolerance: 1, ...(out && { out }) };
      const { directory, card } = await exportModel(detectors.ssdlite, options);
      expect(directory).toBe(out ?? own);
      expect(card).toMatchObject({ for: target, quantize, parity: { images: 4, metric: { name: 'AP' } } });
      expect(card.parity.maxDifference).toBeGreaterThan(0);
    },
    120_000,
  );

  test('is refused in a format without that type', async () => {
    await expect(exportModel(detectors.ssdlite, { format: 'savedmodel', quantize: 'int8' })).rejects.toMatchObject({
      code: 'E_USAGE',
      problems: [{ fix: expect.stringContaining('--format onnx or tfjs or tflite') }],
    });
  });
});

test('an application that cannot use the model says why', async () => {
  await expect(exportModel(reader, { for: 'ultralytics' })).rejects.toMatchObject({
    code: 'E_EXPORT_TARGET',
    message: expect.stringContaining('has no use for a model for text'),
    problems: [{ where: { file: join(reader, 'checkpoints', 'best.safetensors') } }],
  });
  await expect(exportModel(reader, {})).rejects.toMatchObject({ code: 'E_USAGE' });
  expect(await command(['export', reader, '--for', 'fridge'])).toBe(2);
}, 60_000);
