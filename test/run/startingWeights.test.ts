import { expect, test } from '@jest/globals';
import { describeRandomStart } from '../../src/run/startingWeights.js';

const parameters = new Map(Array.from({ length: 9 }, (_, i) => [`p${i}`, {}])) as never;

test('what starts at random is said by its groups', () => {
  const report = { missing: ['head.class.weight', 'head.class.bias', 'neck.0.weight'], adapted: [] };
  expect(describeRandomStart({ parameters }, undefined)).toEqual(['The whole model starts at random: no weights are loaded.']); // prettier-ignore
  expect(describeRandomStart({ parameters }, { missing: [], adapted: ['conv: 4 input channels'] })).toEqual([]);
  expect(describeRandomStart({ parameters }, report)).toEqual([
    '3 of 9 parameters are not in the weights and start at random: head.class (2), neck.0 (1).',
  ]);
  const adapted = ['head.class: 1 of 2 categories known; these keep their initial values: cat'];
  expect(describeRandomStart({ parameters }, { missing: [], adapted })).toEqual([`A part of a layer starts at random: ${adapted[0]}.`]); // prettier-ignore
});
