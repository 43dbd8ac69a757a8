import { expect, test } from '@jest/globals';
import { imageFeed } from '../../src/tasks/feeds.js';

const sample = (value: number) => ({ picture: { data: new Uint8Array(6).fill(value), width: 2, height: 1 } });

test('pixels are written to memory of their size, and rows without a sample are 0', () => {
  const memory = imageFeed([sample(1), sample(2)], 2, [1, 2]);
  expect([...memory]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  const again = imageFeed([sample(3)], 2, [1, 2], memory);
  expect(again).toBe(memory);
  expect([...again]).toEqual([3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0]);
  const larger = imageFeed([sample(4)], 3, [1, 2], memory);
  expect(larger).not.toBe(memory);
  expect(larger).toHaveLength(18);
});
