import { expect, test } from '@jest/globals';
import { boxOfSegmentation } from '../../../src/data/formats/cocoSegmentation.js';

test('the box around polygons, and around masks in both encodings', () => {
  expect(
    boxOfSegmentation([
      [1, 2, 9, 4, 5, 8],
      [0, 3, 2, 3, 1, 5],
    ]),
  ).toEqual([0, 2, 9, 6]);
  // rows 1 to 3 of columns 2 and 3 in a mask of 5 rows and 6 columns
  expect(boxOfSegmentation({ size: [5, 6], counts: [11, 3, 2, 3, 11] })).toEqual([2, 1, 2, 3]);
  expect(boxOfSegmentation({ size: [5, 6], counts: ';3209' })).toEqual([2, 1, 2, 3]);
  expect(boxOfSegmentation({ size: [5, 6], counts: [0, 30] })).toEqual([0, 0, 6, 5]);
  expect(boxOfSegmentation({ size: [5, 6], counts: '0n0' })).toEqual([0, 0, 6, 5]);
});

test('a segmentation that is broken has no box', () => {
  for (const broken of [
    undefined,
    [],
    [[1, 2]],
    [[1, 'x', 3, 4]],
    { size: [5], counts: [-1] },
    { size: [0, 1], counts: [0, 1] },
    { counts: ';', size: 'x' },
    { size: [5, 6], counts: 'P' },
  ])
    expect(boxOfSegmentation(broken)).toBeUndefined();
});
