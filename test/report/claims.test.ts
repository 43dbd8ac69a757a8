import { expect, test } from '@jest/globals';
import { describeUnscored, PARTS, scoreClaims } from '../../src/report/claims.js';

const best = { epoch: 3, name: 'AP', value: 0.5 };
const share = (part: keyof typeof PARTS, other: keyof typeof PARTS) => ({
  part: PARTS[part],
  other: PARTS[other],
  images: 2,
  of: 5,
  pairs: [],
});

test('only a test part that shares no image with the validation part has a score on which nothing was chosen', () => {
  const chosen = 'Epoch 3 was chosen for the best AP on the validation part (0.500)';
  expect(scoreClaims(best, true, [])).toEqual([`${chosen}; the score is that of the test part, on which nothing was chosen.`]); // prettier-ignore
  expect(scoreClaims(best, false, [])).toEqual([`${chosen}, and the score is that of the same part: expect a little less on new images.`]); // prettier-ignore
  expect(scoreClaims(best, true, [share('test', 'val')])).toEqual([
    `${chosen}; the score is that of the test part, which has images of the validation part: expect less on new images.`,
    '2 of the 5 images of the test part are also in the validation part: the epoch is chosen by them, so the score is too good.',
  ]);
  expect(scoreClaims(best, true, [share('test', 'train'), share('test', 'val')])[0]).toContain(
    'which has images of the training part and of the validation part: expect less',
  );
  expect(scoreClaims(best, true, [share('test', 'train')]).at(-1)).toBe(
    '2 of the 5 images of the test part are also in the training part: the model has learned from them, so the score is too good.',
  );
});

test('a part whose objects are all ignored has no score', () => {
  const part = (...ignore: boolean[]) => ({
    annotations: [{ kind: 'boxes', classes: ignore.map(() => 0), ignore }] as never,
  });
  expect(describeUnscored({ val: part(true, false), test: part(false) })).toEqual([]);
  expect(describeUnscored({ val: part(true), test: part() })).toEqual([
    'The validation part has no object that counts, so its score says nothing, and no epoch is better than another.',
    'The test part has no object that counts, so its score says nothing.',
  ]);
});
