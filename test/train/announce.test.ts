import { expect, test } from '@jest/globals';
import { announce } from '../../src/train/announce.js';
import type { TrainOptions } from '../../src/train/options.js';

test('the rates are said at the start, those of stages that thaw later too', () => {
  const trainer = { plan: { schedule: { peak: 0.01, totalSteps: 240 } } } as Parameters<typeof announce>[0];
  const unfreeze = [
    { epoch: 4, stages: 2, lr: 0.5 },
    { epoch: 8, stages: [], lr: 0.1 },
  ];
  const options = {
    batch: 8,
    accumulate: 2,
    share: { rank: 0, count: 1 },
    lr: { value: 0.02, perBatch: 32 },
    freeze: { stages: 'all', batchNorm: 'train', unfreeze },
  } as unknown as TrainOptions;
  expect(announce(trainer, { categories: [], annotations: [] }, options)).toEqual([
    'learning rate 0.01 (0.02 per 32 images, 16 images a step); 240 steps',
    'after 4 epochs the learning rate is multiplied by 0.5 (0.005 at the peak); frozen stages: 2',
    'after 8 epochs the learning rate is multiplied by 0.1 (0.001 at the peak); frozen stages: none',
  ]);
});
