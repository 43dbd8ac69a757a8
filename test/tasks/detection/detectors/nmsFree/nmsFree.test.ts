import { describe, expect, test } from '@jest/globals';
import type { Category, Sample } from '../../../../../src/data/sample.js';
import type { Feed } from '../../../../../src/engine/engine.js';
import { createDetection } from '../../../../../src/evaluate/createTask.js';
import { iou, xyxy } from '../../../../../src/geometry/box.js';
import { createGraph, input, isOp } from '../../../../../src/graph/builder.js';
import { gradients } from '../../../../../src/graph/grad.js';
import { initialValues } from '../../../../../src/graph/init.js';
import { ancestors } from '../../../../../src/graph/rewrite.js';
import type { Value } from '../../../../../src/graph/spec.js';
import { inputsOf, parametersOf } from '../../../../../src/graph/program.js';
import { detectorDefaults } from '../../../../../src/tasks/detection/detectorDefaults.js';
import { assignPoints, placeObjects } from '../../../../../src/tasks/detection/detectors/nmsFree/assign.js';
import { nmsFree } from '../../../../../src/tasks/detection/detectors/nmsFree/nmsFree.js';
import { truthInputs } from '../../../../../src/tasks/detection/truth.js';
import { createModel } from '../../../../../src/tasks/model.js';
import { planFreeze } from '../../../../../src/train/freeze.js';
import { buildPrograms } from '../../../../../src/train/programs.js';
import { openEngines } from '../../../../engines.js';
import { uniform } from '../../../../models/formula.js';

const engine = (await openEngines()).at(-1)!;
const SIDE = 64;
const options = {
  ...detectorDefaults.nmsFree,
  backbone: 'mobilenetv2_035',
  numClasses: 2,
  size: [SIDE, SIDE],
  channels: 16,
} as const;

describe('the assignment of points to objects', () => {
  const [GRID, CLASSES, ROWS] = [6, 3, 4];
  const count = GRID * GRID;
  const centres = Array.from({ length: count }, (_, i) => [(i % GRID) * 16 + 8, Math.floor(i / GRID) * 16 + 8]).flat();
  const truth = [10, 10, 60, 50, 40, 30, 90, 90, 0, 60, 30, 95, 0, 0, 0, 0];
  const labels = [1, 3, -1, 0]; // two objects to learn, one to ignore, one padding row
  const logits = uniform('logits', count * CLASSES, 2);
  const shifts = uniform('shifts', count * 4, 20);
  const boxes = Float32Array.from({ length: count * 4 }, (_, i) => {
    const point = centres[2 * Math.floor(i / 4) + (i % 2)]!;
    return point + (i % 4 < 2 ? -25 : 25) + shifts[i]!;
  });

  /** The same assignment by loops: the metric of every object and point, the best points, and conflicts solved by overlap. */
  function reference(most: number) {
    const positive = new Array<number>(count).fill(0);
    const match = new Array<number>(count).fill(-1);
    const overlap = new Array<number>(count).fill(0);
    const metricOf = (object: number, i: number): number => {
      const [x, y] = [centres[2 * i]!, centres[2 * i + 1]!];
      const [x1, y1, x2, y2] = truth.slice(object * 4, object * 4 + 4) as [number, number, number, number];
      if (!(x > x1 && x < x2 && y > y1 && y < y2)) return 0;
      const probability = 1 / (1 + Math.exp(-logits[i * CLASSES + labels[object]! - 1]!));
      return Math.sqrt(probability) * iou(xyxy(truth), object, xyxy([...boxes]), i) ** 6 + 1e-12;
    };
    for (const [object, label] of labels.entries()) {
      if (label <= 0) continue;
      const ranked = centres.slice(0, count).map((_, i) => i).filter((i) => metricOf(object, i) > 0); // prettier-ignore
      ranked.sort((one, other) => metricOf(object, other) - metricOf(object, one));
      for (const i of ranked.slice(0, most)) {
        const own = iou(xyxy(truth), object, xyxy([...boxes]), i);
        if (positive[i] === 1 && own <= overlap[i]!) continue;
        [positive[i], match[i], overlap[i]] = [1, object, own];
      }
    }
    return { positive, match };
  }

  test.each([1, 4])('with %i points for each object is that of the formula', async (most) => {
    const graph = createGraph();
    const branch = { logits: input(graph, 'logits', [1, count, CLASSES]), boxes: input(graph, 'boxes', [1, count, 4]) };
    const scene = placeObjects(truthInputs(graph, 1, ROWS), centres);
    const outputs = { ...assignPoints(branch, scene, most), inIgnored: scene.inIgnored };
    const session = await engine.compile({ all: { outputs } });
    const feeds = { logits, boxes, truth: Float32Array.from(truth), truthLabels: Int32Array.from(labels) };
    const found = await session.run('all', feeds);
    session.dispose();
    const wanted = reference(most);
    expect([...found.positive!]).toEqual(wanted.positive);
    for (const [i, positive] of wanted.positive.entries())
      if (positive === 1) expect(found.match![i]).toBe(wanted.match[i]);
    if (most === 1) expect(wanted.positive.filter((value) => value === 1)).toHaveLength(2);
    // Only the best point of each object learns its IoU.
    const best = Math.max(...found.quality!);
    expect(best).toBeGreaterThan(0);
    expect(best).toBeLessThanOrEqual(1);
    const inIgnored = centres.filter((_, i) => i % 2 === 0).map((x, i) => x < 30 && centres[2 * i + 1]! > 60);
    expect([...found.inIgnored!].map(Boolean)).toEqual(inIgnored);
  });
});

const sample = (boxes: number[], classes: number[]): Sample =>
  ({ file: '', boxes: xyxy(boxes), classes, ignore: classes.map(() => false) }) as unknown as Sample;

test('detections are the best scores, and boxes that overlap stay', () => {
  const detector = nmsFree.create({ ...options, scoreThreshold: 0.3, maxDetections: 3 });
  const { outputs } = detector.build({ batch: 1, size: [SIDE, SIDE], trainBatchNorm: () => false });
  const points = outputs.logits!.shape[1]!;
  const logits = new Float32Array(points * 2).fill(-9);
  const boxes = new Float32Array(points * 4);
  for (const [i, logit] of [2, 1, 3, -2].entries()) {
    logits[i * 2] = logit;
    boxes.set([10, 10, 50, 50 + i], i * 4);
  }
  boxes.set([-5, -5, 500, 50], 8);
  const found = detector.decode({ logits, boxes });
  expect(found.classes).toEqual([0, 0, 0]);
  expect(found.scores.map((score) => score.toFixed(3))).toEqual(['0.953', '0.881', '0.731']);
  expect([...found.boxes]).toEqual([0, 0, SIDE, 50, 10, 10, 50, 50, 10, 10, 50, 51]);
});

describe('training', () => {
  const task = createDetection(options);
  const categories = ['a', 'b'].map((name, id) => ({ id, name }) as unknown as Category);
  const model = createModel(task, { categories, seed: 1 });

  test('the branch for training has parameters of the model, and inference does not compute it', () => {
    const names = [...model.params.keys()];
    const count = (branch: string): number => names.filter((name) => name.startsWith(`head.${branch}.`)).length;
    expect(count('oneToMany')).toBe(count('oneToOne'));
    const { outputs } = task.build({ batch: 1, size: [SIDE, SIDE], trainBatchNorm: () => false });
    const read = [...parametersOf({ all: { outputs } }).keys()];
    expect(read.some((name) => name.startsWith('head.oneToMany.'))).toBe(false);
  });

  test('the one-to-one branch gives the backbone and the neck no gradient', () => {
    const { loss } = task.build({ batch: 1, size: [SIDE, SIDE], trainBatchNorm: () => false });
    const { parts } = loss();
    const nodes = ancestors(Object.values(parts));
    const named = (name: string): Value =>
      nodes.find((node) => isOp(node, 'param') && node.attrs.name === name)!.outputs[0]!;
    for (const shared of ['backbone.conv_stem.weight', 'neck.layer_blocks.0.weight']) {
      for (const part of ['class', 'box'])
        expect(() => gradients(parts[part]!, [named(shared)])).toThrow(/does not depend on/);
      expect(gradients(parts.manyBox!, [named(shared)])).toHaveLength(1);
    }
    expect(gradients(parts.box!, [named('head.oneToOne.box.0.0.conv_pw.weight')])).toHaveLength(1);
  });

  test('learns its batch', async () => {
    const plan = planFreeze(model.backbone, model.parameters, { stages: 0, batchNorm: 'train' });
    const optimizer = { name: 'adamw', momentum: 0.9, nesterov: false, betas: [0.9, 0.999], smoothing: 0.99, epsilon: 1e-8 } as const; // prettier-ignore
    const update = { optimizer, groupOf: () => ({ lr: 1, weightDecay: 0 }), clipNorm: 10, clipValue: null, accumulate: 1 }; // prettier-ignore
    const built = buildPrograms(model, { batch: 2, evaluateBatch: 2, plan, update, ema: false, split: 'never' });
    const session = await engine.compile({ train: built.train });
    const values = [...parametersOf({ train: built.train })].map(([name, attrs]) => {
      return [name, model.params.get(name) ?? initialValues(attrs, 1)] as const;
    });
    await session.write(new Map([...values, ...built.derive(model.params)]));
    const objects = [sample([4, 4, 40, 36, 24, 28, 62, 60], [0, 1]), sample([12, 20, 54, 50], [1])];
    const encoded = objects.map((one) => task.encode(one));
    const image = uniform('image', 2 * SIDE * SIDE * 3, 127, 127);
    const feeds: Record<string, Feed> = Object.fromEntries(
      inputsOf(built.train).map(({ name, dtype }): [string, Feed] => {
        if (name === 'image') return [name, image];
        if (name === 'lr') return [name, Float32Array.of(0.005)];
        const values = encoded.flatMap((own) => [...own[name]!]);
        return [name, dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)];
      }),
    );
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) losses.push((await session.run('train', feeds)).loss![0]!);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
    session.dispose();
  }, 120_000);
});
