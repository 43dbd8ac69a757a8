import { expect, test } from '@jest/globals';
import type { Category } from '../../src/data/sample.js';
import { createDetection } from '../../src/evaluate/createTask.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel } from '../../src/tasks/model.js';
import { freezePhases, phaseAt, planFreeze } from '../../src/train/freeze.js';

const categories = [{ id: 1, name: 'a' }] as unknown as Category[];
const model = createModel(createDetection({
  backbone: 'mobilenetv2_035', ...detectorDefaults.ssdlite, numClasses: 1, size: [96, 96],
    scoreThreshold: 0.1, maxDetections: 10,
}), { categories, seed: 1 }); // prettier-ignore
const plan = (stages: number | 'all', batchNorm: 'train' | 'eval' | 'frozen') =>
  planFreeze(model.backbone, model.parameters, { stages, batchNorm });

test('stages are frozen from the input on, their BatchNorm included', () => {
  const { frozen, trainBatchNorm } = plan(2, 'train');
  expect(frozen('backbone.conv_stem.weight')).toBe(true);
  expect(frozen('backbone.blocks.0.0.bn1.running_mean')).toBe(true);
  expect(frozen('backbone.blocks.1.0.conv_pw.weight')).toBe(false);
  expect(trainBatchNorm('backbone.blocks.0.0.bn1')).toBe(false);
  expect(trainBatchNorm('backbone.blocks.1.0.bn1')).toBe(true);
  expect(trainBatchNorm('head.box.0.bn')).toBe(true);
});

test('BatchNorm in the other stages of the backbone: eval fixes the statistics, frozen scale and shift too', () => {
  const path = 'backbone.blocks.3.0.bn1';
  expect(plan(0, 'eval').frozen(`${path}.running_var`)).toBe(true);
  expect(plan(0, 'eval').frozen(`${path}.weight`)).toBe(false);
  expect(plan(0, 'frozen').frozen(`${path}.weight`)).toBe(true);
  expect(plan(0, 'frozen').trainBatchNorm(path)).toBe(false);
  expect(plan(0, 'train').frozen(`${path}.running_var`)).toBe(false);
});

test('all means the whole backbone and nothing else', () => {
  const names = [...model.parameters.keys()];
  expect(names.filter(plan('all', 'train').frozen)).toEqual(names.filter((name) => name.startsWith('backbone.')));
});

test('more stages than there are is an error with the number', () => {
  expect(() => plan(10, 'train')).toThrow(/has 9 stages.*E_FREEZE_STAGES/);
});

test('patterns of names freeze as stages do, statistics included', () => {
  const patterns = ['backbone.blocks.0.*', 'head.box.0.*'];
  const { frozen, trainBatchNorm } = planFreeze(model.backbone, model.parameters, {
    stages: patterns,
    batchNorm: 'train',
  });
  const names = [...model.parameters.keys()];
  expect(names.filter(frozen)).toEqual(
    names.filter((name) => name.startsWith('backbone.blocks.0.') || name.startsWith('head.box.0.')),
  );
  expect(trainBatchNorm('head.box.0.bn')).toBe(false);
  expect(trainBatchNorm('backbone.blocks.1.0.bn1')).toBe(true);
});

test('a pattern that matches nothing is an error', () => {
  const stages = ['backbone.*', 'backbone.blocks.99.*'];
  expect(() => planFreeze(model.backbone, model.parameters, { stages, batchNorm: 'train' })).toThrow(
    /backbone\.blocks\.99\.\* matches no parameter.*E_FREEZE_STAGES/,
  );
});

test('phases follow the epochs that are done', () => {
  const unfreeze = [
    { epoch: 2, stages: 3, lr: 1 },
    { epoch: 5, stages: 0, lr: 0.5 },
  ];
  const options = { stages: 'all', batchNorm: 'train', unfreeze } as const;
  expect([0, 1, 2, 4, 5, 9].map((epoch) => phaseAt(epoch, options))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(freezePhases(options).map(({ stages, lr }) => [stages, lr])).toEqual([['all', 1], [3, 1], [0, 0.5]]); // prettier-ignore
});
