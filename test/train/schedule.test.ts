import { describe, expect, test } from '@jest/globals';
import { emaShare } from '../../src/train/ema.js';
import { afterEvaluation, initialPlateau, learningRate, type ScheduleShape } from '../../src/train/schedule.js';

const shape = (name: ScheduleShape['name']): ScheduleShape => ({
  name,
  at: [3, 8],
  factor: 0.1,
  power: 0.9,
  patience: 2,
});
const schedule = (name: ScheduleShape['name'], warmupSteps = 10) => ({
  peak: 0.1,
  warmupSteps,
  totalSteps: 110,
  stepsPerEpoch: 11,
  shape: shape(name),
});

test.each(['cosine', 'step', 'poly', 'plateau'] as const)(
  '%s: a linear rise to the peak, which comes after it',
  (name) => {
    expect(learningRate(0, schedule(name))).toBeCloseTo(0.01);
    expect(learningRate(4, schedule(name))).toBeCloseTo(0.05);
    expect(learningRate(9, schedule(name))).toBeCloseTo(0.1);
    expect(learningRate(10, schedule(name))).toBeCloseTo(0.1);
    expect(learningRate(0, schedule(name, 0))).toBe(0.1);
  },
);

test('a cosine falls to nothing', () => {
  expect(learningRate(60, schedule('cosine'))).toBeCloseTo(0.05);
  expect(learningRate(110, schedule('cosine'))).toBeCloseTo(0);
});

test('steps at the ends of epochs', () => {
  expect([32, 33, 87, 88].map((step) => learningRate(step, schedule('step')))).toEqual([0.1, 0.1 * 0.1, 0.1 * 0.1, 0.1 * 0.1 ** 2]); // prettier-ignore
});

test('a power of what is left', () => {
  expect(learningRate(60, schedule('poly'))).toBeCloseTo(0.1 * 0.5 ** 0.9);
  expect(learningRate(110, schedule('poly'))).toBe(0);
});

// torch 2.13: OneCycleLR(SGD, max_lr=0.1, total_steps=110).get_last_lr() after 0, 16, 32, 33, 70 and 109 steps
test("one cycle is PyTorch's", () => {
  const golden = [
    [0, 0.004],
    [16, 0.052],
    [32, 0.1],
    [33, 0.099958390134],
    [70, 0.05102012279],
    [109, 4e-7],
  ] as const;
  for (const [step, lr] of golden) expect(learningRate(step, schedule('onecycle'))).toBeCloseTo(lr, 8);
});

describe('a plateau', () => {
  test('cuts after more than `patience` evaluations that were no better, and counts anew', () => {
    let plateau = initialPlateau;
    const cuts = [true, false, false, false, false, false, false, true, false].map((better) => {
      plateau = afterEvaluation(plateau, better, shape('plateau'));
      return plateau.cuts;
    });
    expect(cuts).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(learningRate(50, schedule('plateau'), plateau)).toBeCloseTo(0.001);
  });
});

test('the running mean forgets its start quickly', () => {
  expect(emaShare(0, { decay: 0.999, warmup: true })).toBeCloseTo(0.9);
  expect(emaShare(90, { decay: 0.999, warmup: true })).toBeCloseTo(0.09);
  expect(emaShare(1e6, { decay: 0.999, warmup: true })).toBeCloseTo(0.001);
  expect(emaShare(0, { decay: 0.99, warmup: false })).toBeCloseTo(0.01);
});
