import { expect, test } from '@jest/globals';
import { describeLead } from '../../src/trials/lead.js';

const curve = (name: string, scores: readonly number[]) => ({
  name,
  points: new Map(scores.map((score, i) => [i + 1, score])),
});
/** Ants and bees, EfficientNet-Lite0 at two learning rates: top-1 after each epoch. */
const fast = curve('lr=0.03', [0.771, 0.706, 0.732, 0.739, 0.745, 0.765, 0.797, 0.791, 0.784]);
const slow = curve('lr=0.003', [0.647, 0.778, 0.83, 0.81, 0.817, 0.824, 0.824, 0.81, 0.81]);

test('a setting that led early and lost is named with the epoch', () => {
  const sentence = 'lr=0.03 led until epoch 1 of 9, and lr=0.003 in the end: a shorter comparison would have chosen the other.'; // prettier-ignore
  expect(describeLead([fast, slow])).toBe(sentence);
  expect(describeLead([slow, fast])).toBe(sentence);
});

test('nothing is said where one leads throughout, where the lead is too small, and of too few epochs or settings', () => {
  expect(describeLead([slow, curve('worse', [0.6, 0.7, 0.75])])).toBeUndefined();
  expect(describeLead([curve('a', [0.5, 0.6, 0.7]), curve('b', [0.505, 0.59, 0.69])])).toBeUndefined();
  expect(describeLead([curve('a', [0.5, 0.7, 0.7]), curve('b', [0.6, 0.6, 0.695])])).toBeUndefined();
  expect(describeLead([curve('a', [0.5, 0.7]), curve('b', [0.6, 0.6])])).toBeUndefined();
  expect(describeLead([fast])).toBeUndefined();
  expect(describeLead([])).toBeUndefined();
});
