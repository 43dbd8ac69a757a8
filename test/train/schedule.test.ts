import { expect, test } from '@jest/globals';
import { learningRate } from '../../src/train/schedule.js';

const schedule = { peak: 0.1, warmupSteps: 10, totalSteps: 110 };

test('rises linearly, peaks after the warm-up, ends at nothing', () => {
  expect(learningRate(0, schedule)).toBeCloseTo(0.01);
  expect(learningRate(4, schedule)).toBeCloseTo(0.05);
  expect(learningRate(9, schedule)).toBeCloseTo(0.1);
  expect(learningRate(10, schedule)).toBeCloseTo(0.1);
  expect(learningRate(60, schedule)).toBeCloseTo(0.05);
  expect(learningRate(110, schedule)).toBeCloseTo(0);
});

test('without warm-up it starts at the peak', () => {
  expect(learningRate(0, { ...schedule, warmupSteps: 0 })).toBe(0.1);
});
