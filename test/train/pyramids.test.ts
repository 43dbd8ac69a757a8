import { describe, expect, test } from '@jest/globals';
import { createDetection } from '../../src/evaluate/createTask.js';
import type { Category, Sample } from '../../src/data/sample.js';
import type { Feed } from '../../src/engine/engine.js';
import { inputsOf, parametersOf } from '../../src/graph/program.js';
import { xyxy } from '../../src/geometry/box.js';
import { initialValues } from '../../src/graph/init.js';
import { createModel } from '../../src/tasks/model.js';
import type { DetectionOptions } from '../../src/tasks/detection/detectors.js';
import { planFreeze } from '../../src/train/freeze.js';
import { buildPrograms } from '../../src/train/programs.js';
import { uniform } from '../models/formula.js';
import { openEngines } from '../engines.js';

const [BATCH, SIDE, STEPS] = [2, 128, 6];
const common = {
  backbone: 'mobilenetv2_035',
  numClasses: 2,
  size: [SIDE, SIDE],
  neck: 'balanced',
  channels: 16,
  boxLoss: 'balancedL1',
  focal: { alpha: 0.25, gamma: 2 },
  hardNegatives: 3,
  scoreThreshold: 0.05,
  candidates: 100,
  nms: 'hard',
  nmsThreshold: 0.5,
  maxDetections: 20,
} as const;
const heads: DetectionOptions[] = [
  { ...common, head: 'retinanet', anchorScale: 4 },
  { ...common, head: 'fcos', centerRadius: 1.5 },
  {
    ...common,
    head: 'fasterRcnn',
    anchorScale: 8,
    proposals: 30,
    sampledBoxes: 16,
    sampling: 'iouBalanced',
    units: 32,
  },
];
const engine = (await openEngines()).at(-1)!;
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const sample = {
  file: '',
  boxes: xyxy([20, 30, 70, 90, 60, 10, 120, 50]),
  classes: [0, 1],
  ignore: [false, false],
} as unknown as Sample;

/** Losses of some steps on one batch, in which the second place holds no image, twice from the same weights. */
async function trainTwice(options: DetectionOptions): Promise<readonly [number[], number[]]> {
  const task = createDetection(options);
  const categories = ['a', 'b'].map((name, id) => ({ id, name }) as unknown as Category);
  const model = createModel(task, { categories, seed: 1 });
  const plan = planFreeze(model.backbone, model.parameters, { stages: 0, batchNorm: 'train' });
  const optimizer = { name: 'sgd', momentum: 0.9, nesterov: true, betas: [0, 0], smoothing: 0, epsilon: 0 } as const;
  const groupOf = () => ({ lr: 1, weightDecay: 0 });
  const update = { optimizer, groupOf, clipNorm: 10, clipValue: null, accumulate: 1 };
  const built = buildPrograms(model, { batch: BATCH, evaluateBatch: 1, plan, update, ema: false, split: 'never' });
  const session = await engine.compile({ train: built.train });
  const values = [...parametersOf({ train: built.train })].map(([name, attrs]) => {
    return [name, model.params.get(name) ?? initialValues(attrs, 1)] as const;
  });
  const encoded = [task.encode(sample), task.blank()];
  const train = async (): Promise<number[]> => {
    await session.write(new Map([...values, ...built.derive(model.params)]));
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const given: Record<string, Feed> = {
        image: uniform('image', BATCH * SIDE * SIDE * 3, 127, 127),
        lr: Float32Array.of(0.001),
        seed: Int32Array.of(1, 1), // the same boxes are sampled in each step, so that losses can be compared
      };
      const feeds = inputsOf(built.train).map(({ name, dtype }): [string, Feed] => {
        return [name, given[name] ?? arrays[dtype].from(encoded.flatMap((own) => [...own[name]!]))];
      });
      losses.push((await session.run('train', Object.fromEntries(feeds))).loss![0]!);
    }
    return losses;
  };
  const twice = [await train(), await train()] as const;
  session.dispose();
  return twice;
}

const runs = heads.filter(({ head }) => head === 'fasterRcnn' || process.env.FINETUNE_SLOW === '1');

describe('a detector on a balanced pyramid', () => {
  test.each(runs)('$head learns its batch, and repeats itself', async (options) => {
    const [losses, again] = await trainTwice(options);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(again).toEqual(losses);
  });
});
