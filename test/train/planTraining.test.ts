import { describe, expect, test } from '@jest/globals';
import { WHOLE } from '../../src/data/pipeline/share.js';
import type { Annotation, Category } from '../../src/data/sample.js';
import { createClassification } from '../../src/evaluate/createTask.js';
import * as b from '../../src/graph/builder.js';
import type { BackboneTable } from '../../src/models/table.js';
import { createModel, type Model } from '../../src/tasks/model.js';
import type { FreezeOptions } from '../../src/train/freeze.js';
import type { TrainOptions } from '../../src/train/options.js';
import { planTraining, type TrainingFacts } from '../../src/train/planTraining.js';

const categories = ['cat', 'dog'].map((name, i) => ({ id: i + 1, name })) as unknown as Category[];
const row = { operator: 'bottleneck', channels: 8, repeats: 1, stride: 2 } as const;
const backbone: BackboneTable = {
  name: 'tiny',
  stem: 8,
  rows: [row, row, row, row],
  head: 16,
  activation: 'relu6',
  seOf: 'expanded',
  seGate: 'sigmoid',
  style: 'pytorch',
};
const task = createClassification({
  backbone,
  numClasses: 2,
  size: [64, 64],
  labelSmoothing: 0,
  dropout: 0,
  stochasticDepth: 0,
});
const model = createModel(task, { categories, seed: 1 });

const image = (label: number) => ({ kind: 'wholeImage', label }) as unknown as Annotation;
/** A training part in which every fifth image shows a dog, the others a cat. */
const images = (count: number, more: Partial<TrainingFacts> = {}): TrainingFacts => ({
  categories,
  annotations: Array.from({ length: count }, (_, i) => image(i % 5 === 0 ? 1 : 0)),
  ...more,
});

const freeze = (more: Partial<FreezeOptions> = {}): FreezeOptions => ({ stages: 0, batchNorm: 'train', ...more });
const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  epochs: 3,
  stepsPerEpoch: null,
  batch: 4,
  evaluateBatch: 1,
  share: WHOLE,
  syncBatchNorm: false,
  optimizer: {
    name: 'sgd',
    momentum: 0.9,
    nesterov: true,
    betas: [0.9, 0.999],
    smoothing: 0.9,
    epsilon: 1e-8,
    weightDecay: 0,
    decayOn: 'weights',
  },
  accumulate: 1,
  lr: { value: 0.02, perBatch: 32 },
  warmup: { epochs: 0.5, steps: null },
  schedule: { name: 'cosine', at: [], factor: 0.1, power: 0.9, patience: 3 },
  backboneLr: 1,
  layerDecay: 1,
  groups: [],
  clipNorm: null,
  clipValue: null,
  ema: false,
  freeze: freeze(),
  cache: 'none',
  cacheLimit: 1,
  checkpointEvery: 1,
  evaluateEvery: 1,
  earlyStop: false,
  logEvery: 1,
  seed: 1,
  repeatThreshold: null,
  augment: false,
  directory: 'never written',
  recipe: 'test',
  ...more,
});
const plan = (more: Partial<TrainOptions> = {}, data = images(22), of: Model = model) =>
  planTraining(of, data, options(more));

describe('the schedule', () => {
  test('counts full batches, and the images of a step for its peak', () => {
    expect(plan().schedule).toMatchObject({ stepsPerEpoch: 5, totalSteps: 15, warmupSteps: 3, peak: 0.0025 });
    expect(plan({ accumulate: 2 }).schedule).toMatchObject({ totalSteps: 15, peak: 0.005 });
  });

  test('has shorter epochs and another warm-up where the options say so', () => {
    const warmup = { epochs: 9, steps: 1 };
    expect(plan({ stepsPerEpoch: 2, warmup }).schedule).toMatchObject({
      stepsPerEpoch: 2,
      totalSteps: 6,
      warmupSteps: 1,
    });
    expect(plan({ stepsPerEpoch: 9 }).schedule.stepsPerEpoch).toBe(5);
  });

  test('counts repeated images, and old ones beside the new', () => {
    const { repeat, schedule } = plan({ repeatThreshold: 0.8 }, images(20));
    expect([...new Set(repeat)]).toEqual([2, 1]); // √(0.8 / 0.2) for the four dogs
    expect(schedule.stepsPerEpoch).toBe(6);
    // Of 12 images 8 are new, and a batch has 2 of them.
    expect(plan({}, images(12, { old: { from: 8, share: 0.5 } })).schedule.stepsPerEpoch).toBe(4);
  });

  test('needs a full batch', () => {
    expect(() => plan({}, images(3))).toThrow(
      expect.objectContaining({
        code: 'E_DATA_TOO_FEW',
        problems: [expect.objectContaining({ option: 'train.batch' })],
      }),
    );
    expect(plan({}, images(4)).schedule.stepsPerEpoch).toBe(1);
  });
});

describe('frozen stages', () => {
  const thawing = freeze({ stages: 'all', unfreeze: [{ epoch: 1, stages: 2, lr: 0.5 }] });

  test('are split from what trains: every parameter is one or the other, statistics aside', () => {
    const { frozen, trainable, trainsBatchNorm, phases } = plan({ freeze: freeze({ stages: 'all' }) });
    expect(phases).toHaveLength(1);
    expect(frozen).toEqual([...model.parameters.keys()].filter((name) => name.startsWith('backbone.')));
    expect([...frozen, ...trainable].sort()).toEqual([...model.parameters.keys()].sort());
    expect([...phases[0]!.programs.trained].sort()).toEqual([...trainable].sort());
    expect(trainsBatchNorm('backbone.bn1')).toBe(false);
  });

  test('thaw in phases with a rate of their own, and get slots when they do', () => {
    const { frozen, trainable, phases, trainsBatchNorm } = plan({ freeze: thawing });
    expect(phases.map(({ stages, lr }) => [stages, lr])).toEqual([
      ['all', 1],
      [2, 0.5],
    ]);
    const [first, second] = phases.map(({ slots }) => [...slots.keys()].map((name) => name.replace('momentum/', '')));
    expect(second!.length).toBeGreaterThan(first!.length);
    expect(second).toEqual(expect.arrayContaining(first!));
    expect([...second!].sort()).toEqual([...trainable].sort());
    expect(frozen.every((name) => phases.every((phase) => phase.freeze.frozen(name)))).toBe(true);
    const moving = [...model.parameters.keys()].filter(
      (name) => name.endsWith('running_mean') && !frozen.includes(name),
    );
    expect(moving.length).toBeGreaterThan(0);
    expect(moving.every((name) => trainsBatchNorm(name.replace('.running_mean', '')))).toBe(true);
  });

  test('run as a program of their own where their features are cached', () => {
    const cached = plan({ freeze: thawing, cache: 'memory' });
    expect(cached.phases.map(({ all, prefixes }) => [Object.keys(all), Object.keys(prefixes)])).toEqual([
      [['train', 'evaluate'], ['prefix']],
      [['train', 'evaluate'], ['prefix']],
    ]);
    expect(plan({ cache: 'memory' }).phases[0]!.prefixes).toEqual({});
  });

  test('a mistake in a later phase is found before the first step', () => {
    const late = freeze({ unfreeze: [{ epoch: 2, stages: 99, lr: 1 }] });
    expect(() => plan({ freeze: late })).toThrow(expect.objectContaining({ code: 'E_FREEZE_STAGES' }));
  });

  test('cannot be cached while augmentation changes the pixels', () => {
    const blurred = { cache: 'memory', augment: { kind: 'boxes', flip: 0.5, blur: 0.1 } } as const;
    const error = expect.objectContaining({ code: 'E_CACHE_AUGMENT' });
    expect(() => plan({ ...blurred, freeze: thawing })).toThrow(error);
    expect(() => plan({ ...blurred, freeze: thawing, augment: { kind: 'boxes', flip: 0.5 } })).not.toThrow();
    expect(() => plan(blurred)).not.toThrow(); // no frozen stages, so there is no cache
  });
});

test('the graphs follow from the options', () => {
  const { all, slots, seeded } = plan({ accumulate: 2, ema: { decay: 0.9, warmup: true } }).phases[0]!;
  expect(Object.keys(all)).toEqual(['train', 'evaluate', 'gather']);
  expect(new Set([...slots.keys()].map((name) => name.split('/')[0]))).toEqual(
    new Set(['momentum', 'gathered', 'ema']),
  );
  expect(seeded).toBe(false);
});

test('every trained parameter needs a group where there are groups', () => {
  const groups = [{ pattern: 'backbone.*', lr: 1 }];
  expect(() => plan({ groups })).toThrow(expect.objectContaining({ code: 'E_GROUP_PATTERN' }));
});

test('a loss that does not depend on a trained parameter is refused', () => {
  const stopped: Model = {
    ...model,
    task: {
      ...task,
      build(graph) {
        const built = task.build(graph);
        const loss: typeof built.loss = (how) => {
          const { total, parts } = built.loss(how);
          return { total: b.stopGradient(total), parts };
        };
        return { ...built, loss };
      },
    },
  };
  expect(() => plan({}, images(8), stopped)).toThrow(expect.objectContaining({ code: 'E_GRAD_MISSING' }));
});
