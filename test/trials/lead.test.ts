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
  const sentence = 'lr=0.03 still led at epoch 1 of 9, and lr=0.003 leads in the end: a shorter training would have chosen the first.'; // prettier-ignore
  expect(describeLead([fast, slow])).toBe(sentence);
  expect(describeLead([slow, fast])).toBe(sentence);
});

test('a classifier without augmentation leads for 18 of 30 epochs, and loses', () => {
  // docs/talk.md: MobileNetV3-small 0.5 from random values on 900 images of 30 classes.
  const plain = curve('plain', [0.042, 0.048, 0.046, 0.053, 0.077, 0.072, 0.099, 0.117, 0.113, 0.119, 0.116, 0.121, 0.148, 0.147, 0.143, 0.147, 0.161, 0.163, 0.168, 0.166, 0.16, 0.159, 0.16, 0.151, 0.15, 0.157, 0.152, 0.159, 0.156, 0.162]); // prettier-ignore
  const augmented = curve('augmented', [0.038, 0.047, 0.051, 0.038, 0.056, 0.064, 0.071, 0.085, 0.087, 0.077, 0.084, 0.1, 0.115, 0.1, 0.112, 0.122, 0.128, 0.131, 0.167, 0.162, 0.192, 0.191, 0.168, 0.206, 0.191, 0.216, 0.2, 0.204, 0.202, 0.204]); // prettier-ignore
  expect(describeLead([plain, augmented])).toContain(
    'plain still led at epoch 18 of 30, and augmented leads in the end',
  );
});

test('nothing is said where one leads throughout, where the lead is too small, and of too few epochs or settings', () => {
  expect(describeLead([slow, curve('worse', [0.6, 0.7, 0.75])])).toBeUndefined();
  expect(describeLead([curve('a', [0.5, 0.6, 0.7]), curve('b', [0.505, 0.59, 0.69])])).toBeUndefined();
  expect(describeLead([curve('a', [0.5, 0.7, 0.7]), curve('b', [0.6, 0.6, 0.695])])).toBeUndefined();
  expect(describeLead([curve('a', [0.5, 0.7]), curve('b', [0.6, 0.6])])).toBeUndefined();
  expect(describeLead([fast])).toBeUndefined();
  expect(describeLead([])).toBeUndefined();
});
