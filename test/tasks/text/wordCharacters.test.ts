import { expect, test } from '@jest/globals';
import { gaussianMaps } from '../../../src/tasks/text/gaussianMap.js';
import { wordCharacters } from '../../../src/tasks/text/wordCharacters.js';

const size = { width: 80, height: 24 };

/** The region score of characters with these left and right sides, pixels, in a crop of 160 × 48. */
function regionOf(sides: readonly (readonly [number, number])[]): Float32Array {
  const characters = sides.map(([l, r]) => [l, 4, r, 4, r, 44, l, 44]);
  const word = { text: '', outline: [0, 0, 160, 0, 160, 48, 0, 48], characters, dontCare: false };
  return gaussianMaps([word], size.width, size.height).region;
}
const four = [[0, 36], [40, 76], [80, 116], [122, 158]] as const; // prettier-ignore

test('characters are those that the targets were drawn from, from left to right', () => {
  const { boxes, found, confidence, isSplit } = wordCharacters(regionOf(four), size, 4);
  expect({ found, confidence, isSplit }).toEqual({ found: 4, confidence: 1, isSplit: false });
  for (const [i, [left, top, right, bottom]] of boxes.entries()) {
    for (const [one, other] of [
      [left, four[i]![0] / 2],
      [right, four[i]![1] / 2],
      [top, 2],
      [bottom, 22],
    ] as const) {
      expect(Math.abs(one - other)).toBeLessThanOrEqual(2);
    }
  }
});

test('the confidence falls with the characters that are missing or too many', () => {
  expect(wordCharacters(regionOf(four), size, 5).confidence).toBeCloseTo(4 / 5);
  expect(wordCharacters(regionOf(four), size, 3).confidence).toBeCloseTo(2 / 3);
});

test('below a half the word is cut equally, by its letters', () => {
  const { boxes, found, confidence, isSplit } = wordCharacters(regionOf(four), size, 10);
  expect({ found, confidence, isSplit }).toEqual({ found: 4, confidence: 0.5, isSplit: true });
  expect(boxes).toHaveLength(10);
  expect(boxes[1]).toEqual([8, 0, 16, 24]);
  expect(wordCharacters(new Float32Array(80 * 24), size, 3).boxes).toHaveLength(3);
});

test('without a length what is found counts half, and nothing where nothing is found', () => {
  expect(wordCharacters(regionOf(four), size, 0)).toMatchObject({ found: 4, confidence: 0.5, isSplit: false });
  expect(wordCharacters(new Float32Array(80 * 24), size, 0).boxes).toEqual([]);
});

test('a tall word is read and cut downwards', () => {
  const tall = { width: 10, height: 40 };
  expect(wordCharacters(new Float32Array(400), tall, 4).boxes[1]).toEqual([0, 10, 10, 20]);
  expect(wordCharacters(new Float32Array(400), tall, 1).boxes).toEqual([[0, 0, 10, 40]]);
});
