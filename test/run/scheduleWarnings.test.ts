import { expect, test } from '@jest/globals';
import { parseRecipe } from '../../src/recipe/load.js';
import { scheduleWarnings, shorterWarmup } from '../../src/run/scheduleWarnings.js';

const warnings = async (train: string, images: number): Promise<string[]> => {
  const recipe = await parseRecipe(`task: detection\ndata: {format: synthetic}\ntrain: ${train}\n`, 'a.yaml');
  return scheduleWarnings(recipe, images).map(({ code, fix }) => `${code} ${fix.split(',')[0]!}`);
};

test.each([
  [
    'the schedule of COCO on 40 photos',
    '{epochs: 12, batch: 32, warmup: {steps: 924}}',
    40,
    [
      'W_TRAIN_BATCH set train.batch: 8',
      'W_TRAIN_STEPS set train.epochs: 60 with that batch',
      'W_TRAIN_WARMUP set train.warmup.steps: 1',
    ],
  ],
  ['a run that is too short', '{epochs: 5, batch: 8}', 200, ['W_TRAIN_STEPS set train.epochs: 12']],
  ['epochs of few steps', '{epochs: 5, batch: 8, stepsPerEpoch: 10}', 2000, ['W_TRAIN_STEPS set train.epochs: 30']],
  [
    'a warm-up of more than half of the run',
    '{epochs: 20, batch: 8, warmup: {epochs: 11}}',
    200,
    ['W_TRAIN_WARMUP set train.warmup.steps: 25'],
  ],
  ['a schedule with its own warm-up', '{epochs: 20, batch: 8, schedule: {name: onecycle}}', 200, []],
  ['a schedule that can work', '{epochs: 20, batch: 8}', 200, []],
  ['a single image', '{epochs: 300, batch: 1}', 1, []],
] as const)('%s', async (_, train, images, expected) => {
  expect(await warnings(train, images)).toEqual(expected);
});

test('a run that was planned for a time asks for more time', async () => {
  const recipe = await parseRecipe(
    'task: detection\ndata: {format: synthetic}\ntrain: {epochs: 5, batch: 8}\n',
    'a.yaml',
  );
  expect(scheduleWarnings(recipe, 200, { time: '1m' })).toMatchObject([
    { code: 'W_TRAIN_STEPS', option: 'train.time', fix: expect.stringMatching(/^raise train\.time \(1m\)/) as unknown },
  ]);
});

test.each([
  ['{epochs: 20, batch: 8, warmup: {steps: 924}}', 25],
  ['{epochs: 2, batch: 8, warmup: {epochs: 2}}', 3],
  ['{epochs: 20, batch: 8, warmup: {steps: 250}}', undefined],
  ['{epochs: 20, batch: 8, schedule: {name: onecycle}}', undefined],
])('%s, 25 steps an epoch: a warm-up of %s steps', async (train, steps) => {
  const recipe = await parseRecipe(`task: detection\ndata: {format: synthetic}\ntrain: ${train}\n`, 'a.yaml');
  expect(shorterWarmup(recipe.train, 25)).toBe(steps);
});
