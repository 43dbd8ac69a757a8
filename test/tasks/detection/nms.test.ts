import { expect, test } from '@jest/globals';
import { xyxy } from '../../../src/geometry/box.js';
import { selectPerClass } from '../../../src/tasks/detection/nms.js';

/** Two boxes of IoU 0.6 and one apart. */
const boxes = xyxy([0, 0, 10, 10, 0, 0, 10, 6, 50, 50, 60, 60]);
const scores = [[0.9, 0.8, 0.3], [0, 0.7, 0]] as const; // prettier-ignore
const options = { numClasses: 2, scoreThreshold: 0.05, candidates: 400, nmsThreshold: 0.5, maxDetections: 100 };
const select = (nms: 'hard' | 'softLinear' | 'softGaussian', more: Partial<typeof options> = {}) =>
  selectPerClass(boxes, (classIndex) => Float32Array.from(scores[classIndex]!), { ...options, nms, ...more });
const rounded = (values: readonly number[]): string[] => values.map((value) => value.toFixed(3));

test('hard: a box falls to a better one of its class, not of another', () => {
  const found = select('hard');
  expect(rounded(found.scores)).toEqual(['0.900', '0.700', '0.300']);
  expect(found.classes).toEqual([0, 1, 0]);
  expect([...found.boxes.subarray(4, 8)]).toEqual([0, 0, 10, 6]);
});

test('soft: its score falls instead, by the overlap (1 − 0.6) or by exp(−0.6² / 0.5)', () => {
  expect(rounded(select('softLinear').scores)).toEqual(['0.900', '0.700', '0.320', '0.300']);
  expect(rounded(select('softGaussian').scores)).toEqual(['0.900', '0.700', '0.389', '0.300']);
  expect(rounded(select('softLinear', { scoreThreshold: 0.31 }).scores)).toEqual(['0.900', '0.700', '0.320']);
});

test('candidates and detections are limited, best first', () => {
  expect(rounded(select('hard', { candidates: 2 }).scores)).toEqual(['0.900', '0.700']);
  expect(rounded(select('hard', { maxDetections: 1 }).scores)).toEqual(['0.900']);
});
