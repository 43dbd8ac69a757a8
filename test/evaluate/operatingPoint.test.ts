import { expect, test } from '@jest/globals';
import { bestThreshold, operatingPointOf, type ClassMatches } from '../../src/evaluate/matches.js';

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
