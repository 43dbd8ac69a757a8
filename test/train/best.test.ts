import { describe, expect, test } from '@jest/globals';
import type { Evaluation } from '../../src/evaluate/evaluate.js';
import { isMeasured, rankOf } from '../../src/evaluate/rank.js';
import { epochScore } from '../../src/run/oldClasses.js';
import { enterScore, isOver, type EarlyStop } from '../../src/train/best.js';
import { firstState } from '../../src/train/checkpoint/state.js';

const schedule = { name: 'plateau', at: [], factor: 0.1, power: 1, patience: 1 } as const;

/** The epochs that are kept as best, and the one after which the run ends. */
function follow(scores: readonly number[], earlyStop: EarlyStop | false): { kept: number[]; end: number } {
  const state = firstState('');
  const kept: number[] = [];
  for (const [i, score] of scores.entries()) {
    if (enterScore(state, { epoch: i + 1, score }, { schedule, earlyStop })) kept.push(i + 1);
    state.epoch = i + 1;
    if (isOver(state, { epochs: scores.length, earlyStop })) break;
  }
  return { kept, end: state.epoch };
}

describe('the best epoch', () => {
  test('is the first of the highest, also where nothing is above -1', () => {
    expect(follow([-9, -3, -3, -5], false)).toEqual({ kept: [1, 2], end: 4 });
  });

  test('is not one whose score is no number, unless all are', () => {
    expect(follow([NaN, 0.1, NaN, 0.2], false)).toEqual({ kept: [1, 2, 4], end: 4 });
  });

  test('ends the run when `patience` evaluations in a row were no better', () => {
    expect(follow([1, 2, 2, 1, 3, 1, 1, 1], { patience: 3, minDelta: 0 })).toEqual({ kept: [1, 2, 5], end: 8 });
    expect(follow([1, 2, 2, 1, 1, 3], { patience: 3, minDelta: 0 })).toEqual({ kept: [1, 2], end: 5 });
  });

  // Keras' EarlyStopping(min_delta=0.5, patience=2) on the same numbers stops there, too
  test('a small rise is kept as best and does not end the waiting; many of them do', () => {
    expect(follow([1, 1.3, 1.4, 9], { patience: 2, minDelta: 0.5 })).toEqual({ kept: [1, 2, 3], end: 3 });
    expect(follow([1, 1.3, 1.6, 1.9, 2.2], { patience: 2, minDelta: 0.5 })).toEqual({ kept: [1, 2, 3, 4, 5], end: 5 });
  });
});

test('of a loss the lowest ranks first', () => {
  const metric = { metric: 'coco', AP: 0.4, AP50: 0.7 };
  expect(rankOf('AP50', { loss: 3, metric })).toBe(0.7);
  expect(rankOf('loss', { loss: 3, metric })).toBeLessThan(rankOf('loss', { loss: 2, metric }));
  expect(() => rankOf('AP90', { loss: 3, metric })).toThrow(/E_INTERNAL/);
});

test('a number that the part has nothing for is told from a bad one', () => {
  expect(isMeasured('APs', -1)).toBe(false);
  expect(isMeasured('APs', 0)).toBe(true);
  expect(isMeasured('loss', rankOf('loss', { loss: 3, metric: { metric: 'coco' } }))).toBe(true);
});

test('with old classes, the mean of what is measured of both', () => {
  const evaluation = (APs: number) => ({ loss: 3, metric: { metric: 'coco', APs }, numbers: { APs } }) as unknown as Evaluation; // prettier-ignore
  const score = (fresh: number, old?: number) =>
    epochScore('APs', { own: evaluation(fresh), old: old === undefined ? undefined : evaluation(old) }, undefined)
      .score;
  expect(score(0.2, 0.4)).toBeCloseTo(0.3);
  expect(score(-1, 0.4)).toBe(0.4);
  expect(score(0.2, -1)).toBe(0.2);
  expect(score(-1, -1)).toBe(-1);
  expect(score(-1)).toBe(-1);
});
