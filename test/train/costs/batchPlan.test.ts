import { expect, test } from '@jest/globals';
import * as fc from '../../fastCheck.js';
import { planBatch, roundBatch } from '../../../src/train/costs/batchPlan.js';

const search = async (memory: (batch: number) => number, limits: { budget: number; most: number }) => {
  const tried: number[] = [];
  const plan = await planBatch({ ...limits, rest: 100 }, (batch) => batch * 8, (batch) => {
    tried.push(batch);
    return Promise.resolve({ peakBytes: memory(batch) });
  }); // prettier-ignore
  return { plan, tried };
};

test('whole vectors: even, fours, eights', () => {
  expect([1, 2, 3, 7.9, 9, 13, 31, 33, 47].map(roundBatch)).toEqual([1, 2, 2, 6, 8, 12, 28, 32, 40]);
});

test('finds the largest batch that fits, never tries much more, and says what was measured', async () => {
  const memory = (batch: number): number => 300 + 20 * batch; // a large part does not depend on the batch
  const { plan, tried } = await search(memory, { budget: 1000, most: 1000 });
  expect(plan!.bytes).toBe(memory(plan!.batch));
  expect(plan!.batch).toBeGreaterThanOrEqual(24);
  expect(tried.every((batch) => memory(batch) <= 1000)).toBe(true);
});

test('goes back where memory grows faster than a line', async () => {
  const { plan } = await search((batch) => 100 + 8 * batch + (batch > 20 ? 900 : 0), { budget: 1000, most: 100 });
  expect(plan!.batch).toBeLessThanOrEqual(20);
  expect(plan!.batch).toBeGreaterThanOrEqual(8);
});

test('is at most what the data allow, and nothing where not even the smallest fits', async () => {
  expect((await search(() => 10, { budget: 1000, most: 1 })).plan).toMatchObject({ batch: 1 });
  expect((await search((batch) => batch, { budget: 1000, most: 17 })).plan).toMatchObject({ batch: 16 });
  expect((await search(() => 2000, { budget: 1000, most: 17 })).plan).toBeUndefined();
});

test('always fits', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(500), fc.double({ min: 1, max: 50, noNaN: true }), fc.integer({ min: 1, max: 400 }), async (base, slope, most) => {
      const { plan, tried } = await search((batch) => base + slope * batch, { budget: 1000, most });
      if (plan) expect(plan.bytes).toBeLessThanOrEqual(1000);
      else expect(base + slope * Math.min(2, most)).toBeGreaterThan(1000);
      expect(Math.max(...tried)).toBeLessThanOrEqual(most);
      expect(tried.length).toBeLessThanOrEqual(4);
    }),
  )); // prettier-ignore
