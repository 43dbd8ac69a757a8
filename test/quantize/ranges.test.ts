import { describe, expect, test } from '@jest/globals';
import { addValues, chooseRange, createHistogram, nothingSeen, widen, withZero } from '../../src/quantize/ranges.js';
import { randomStream } from '../../src/random.js';

/** 100,000 normal values and one far away. */
const random = randomStream(1, 'ranges');
const values = Float32Array.from({ length: 100_001 }, (_, i) => (i === 500 ? 60 : random.normal()));
const seen = widen(nothingSeen, values);
const histogram = createHistogram(seen);
addValues(histogram, values);

describe('the range of normal values with one that is far away', () => {
  test('covers all with minMax', () => {
    expect(chooseRange(histogram, 'minMax')).toEqual(seen);
    expect(seen.max).toBe(60);
  });
  test('leaves the rarest out with percentile', () => {
    const { min, max } = chooseRange(histogram, 'percentile');
    expect(max).toBeGreaterThan(3.5);
    expect(max).toBeLessThan(4.5);
    expect(min).toBeLessThan(-3.5);
  });
  test('has the least squared error with mse', () => {
    const { min, max } = chooseRange(histogram, 'mse');
    const errorOf = (low: number, high: number): number => {
      const step = (high - low) / 255;
      return values.reduce((sum, value) => {
        const level = Math.min(Math.max(Math.round((value - low) / step), 0), 255);
        return sum + (low + level * step - value) ** 2;
      }, 0);
    };
    expect(errorOf(min, max)).toBeLessThan(errorOf(seen.min, seen.max));
    expect(max).toBeLessThan(60);
  });
});

test('a range always holds 0, and values that are not finite do not widen it', () => {
  expect(withZero({ min: 2, max: 3 })).toEqual({ min: 0, max: 3 });
  expect(withZero({ min: -3, max: -2 })).toEqual({ min: -3, max: 0 });
  expect(widen({ min: 0, max: 1 }, Float32Array.of(NaN, Infinity, -1))).toEqual({ min: -1, max: 1 });
  const constant = createHistogram({ min: 0, max: 0 });
  addValues(constant, new Float32Array(5));
  for (const method of ['minMax', 'percentile', 'mse'] as const)
    expect(Math.abs(chooseRange(constant, method).max)).toBe(0);
});
