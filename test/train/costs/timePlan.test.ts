import { describe, expect, test } from '@jest/globals';
import * as fc from '../../fastCheck.js';
import type { Costs } from '../../../src/train/costs/rehearse.js';
import { forecastSeconds, planTime, type Length } from '../../../src/train/costs/timePlan.js';

const costs: Costs = {
  start: 5, step: 0.5, cachedStep: 0.5, evaluateStart: 2, evaluateImage: 0.05, round: 0, checkpoint: 0.1,
  checkpointBytes: 1, bestBytes: 1, peakBytes: 1, firstLoss: {},
}; // prettier-ignore
const length: Length = {
  fullEpoch: 100,
  evaluateEvery: 2,
  labelEvery: 2,
  validated: 40,
  scored: 60,
  phases: [{ epoch: 0, costs }],
};

describe('the forecast', () => {
  test('adds up what a run does', () => {
    const last = 2 * 2 + 60 * 0.05 + 3; // two programs to compile for the evaluation, the last scoring, the report
    expect(forecastSeconds(1, 100, length)).toBeCloseTo(last + 5 + 50 + 0.1 + 2.1);
    expect(forecastSeconds(3, 100, length)).toBeCloseTo(last + 5 + 150 + 0.3 + 2 * 2.1); // after epochs 2 and 3
    expect(forecastSeconds(1, 10, length)).toBeCloseTo(last + 5 + 5 + 0.1 + 2.1);
  });

  test('labels before the first epoch and again as often as asked', () => {
    const labelled = { ...length, phases: [{ epoch: 0, costs: { ...costs, round: 20 } }] };
    const rounds = (epochs: number) =>
      (forecastSeconds(epochs, 100, labelled) - forecastSeconds(epochs, 100, length)) / 20;
    expect([1, 2, 3].map((epochs) => Math.round(rounds(epochs)))).toEqual([1, 1, 2]);
  });

  test('takes the steps of each phase for its own, and cached ones from the second epoch on', () => {
    const phases = [
      { epoch: 0, costs: { ...costs, cachedStep: 0.1 } },
      { epoch: 2, costs: { ...costs, step: 1, cachedStep: 1 } },
    ];
    const grown = (epochs: number): number => {
      const long = { ...length, evaluateEvery: 1, phases };
      return forecastSeconds(epochs, 100, long) - forecastSeconds(epochs - 1, 100, long) - 2.2;
    };
    expect(grown(2)).toBeCloseTo(10);
    expect(grown(3)).toBeCloseTo(105); // the thawed phase is compiled
    expect(grown(4)).toBeCloseTo(100);
  });
});

describe('the plan', () => {
  test('is whole epochs where these fill the time, else each epoch is a little shorter', () => {
    expect(planTime(forecastSeconds(7, 100, length) + 1, length)).toMatchObject({ epochs: 7, stepsPerEpoch: null });
    const odd = planTime(forecastSeconds(2, 100, length) + 25, length)!;
    expect(odd).toMatchObject({ epochs: 3, stepsPerEpoch: expect.any(Number) });
    expect(planTime(forecastSeconds(1, 20, length) + 0.1, length)).toMatchObject({ epochs: 1, stepsPerEpoch: 20 });
    expect(planTime(5, length)).toBeUndefined();
  });

  test('never forecasts more than there is, nor leaves over more than a twentieth and a step an epoch', () => {
    const positive = (max: number) => fc.double({ min: 0.001, max, noNaN: true });
    const any = fc.record({ step: positive(3), evaluateImage: positive(0.2), checkpoint: positive(1), start: positive(10) });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 60, max: 3600 }), (some, fullEpoch, seconds) => {
        const own = { ...costs, ...some, cachedStep: some.step };
        const long: Length = { ...length, fullEpoch, phases: [{ epoch: 0, costs: own }] };
        const plan = planTime(seconds, long);
        if (!plan) return;
        expect(plan.seconds).toBeLessThanOrEqual(seconds * (1 + 1e-9));
        const { epochs, stepsPerEpoch } = plan;
        expect(stepsPerEpoch ?? fullEpoch).toBeLessThanOrEqual(fullEpoch);
        const shorter = stepsPerEpoch !== null || forecastSeconds(epochs + 1, 1, long) <= seconds;
        if (shorter) expect(plan.seconds).toBeGreaterThan(0.95 * seconds - own.step * epochs - 1e-6);
      }),
    );
  }); // prettier-ignore
});
