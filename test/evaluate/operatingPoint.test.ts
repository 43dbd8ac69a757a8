import { expect, test } from '@jest/globals';
import { bestThreshold, operatingPointOf, type ClassMatches } from '../../src/evaluate/matches.js';
import { calibrationOf } from '../../src/tasks/calibration.js';

const matches = (scores: readonly number[], hits: readonly number[], objects: number): ClassMatches => ({
  name: 'cat',
  image: new Int32Array(scores.length),
  score: Float64Array.from(scores),
  hit: Uint16Array.from(hits),
  ignored: new Uint16Array(scores.length),
  objects: Uint32Array.of(objects),
});

test('the threshold is the score of the last detection that F1 gains by, over all classes', () => {
  const cats = matches([0.9, 0.8, 0.3], [1, 0, 0], 1);
  const dogs = matches([0.7, 0.6, 0.2], [1, 0, 1], 2);
  // 0.9: 2/4; 0.8: 2/5; 0.7: 4/6; 0.6: 4/7; 0.3: 4/8; 0.2: 6/9
  expect(operatingPointOf([cats, dogs])).toEqual({ scoreThreshold: 0.7, f1: 4 / 6 });
});

test('equal scores are not parted', () => {
  expect(operatingPointOf([matches([0.5, 0.5, 0.5], [1, 0, 1], 2)])).toEqual({ scoreThreshold: 0.5, f1: 4 / 5 });
});

test('there is no threshold without a detection that is right', () => {
  expect(operatingPointOf([matches([0.5], [0], 2)])).toBeUndefined();
  expect(operatingPointOf([matches([], [], 2)])).toBeUndefined();
  expect(bestThreshold([0, 0.5], () => 0)).toBeUndefined();
});

test('of thresholds that are equally good the lowest is taken', () => {
  expect(bestThreshold([0, 0.2, 0.4, 0.6], (least) => (least < 0.5 && least > 0 ? 0.8 : 0.5))).toEqual({
    scoreThreshold: 0.2,
    f1: 0.8,
  });
});

test('the calibration compares scores with the share that is right, bin by bin', () => {
  const judged = [0.95, 0.95, 0.95, 0.95, 0.15, 0.15, 0.01].map((score, i) => ({ score, isRight: i < 3 }));
  const { ece, bins, predictions, thresholds } = calibrationOf(judged, { total: 4, least: 0.05, rightIs: 'right' })!;
  expect(predictions).toBe(6);
  expect(bins).toEqual([
    { from: 0.1, to: 0.2, predictions: 2, meanScore: 0.15, precision: 0 },
    { from: 0.9, to: 1, predictions: 4, meanScore: expect.closeTo(0.95), precision: 0.75 },
  ]);
  expect(ece).toBeCloseTo((2 * 0.15 + 4 * 0.2) / 6);
  expect(thresholds.find(({ score }) => score === 0.5)).toEqual({
    score: 0.5,
    precision: 0.75,
    recall: 0.75,
    f1: 0.75,
  });
  expect(calibrationOf([], { total: 4, least: 0, rightIs: '' })).toBeUndefined();
});
