import { expect, test } from '@jest/globals';
import { didYouMean, nearest } from '../src/didYouMean.js';

const options = ['epochs', 'batch', 'weightDecay', 'lr', 'hardNegatives'];

test.each([
  ['epoch', 'epochs'],
  ['weight_decay', 'weightDecay'],
  ['Batch', 'batch'],
  ['hardNeg', 'hardNegatives'],
  ['Lr', 'lr'],
])('%s means %s', (typed, meant) => {
  expect(didYouMean(typed, options)).toBe(`did you mean "${meant}"?`);
});

test.each(['optimizer', 'e', '', 'qwertz'])('"%s" means none of them', (typed) => {
  expect(nearest(typed, options)).toBeUndefined();
});

test('nothing to choose from', () => expect(nearest('epoch', [])).toBeUndefined());
