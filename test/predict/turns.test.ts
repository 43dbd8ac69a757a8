import { expect, test } from '@jest/globals';
import { createTurns } from '../../src/predict/turns.js';

test('work with lanes is done beside others like it, other work alone, all in the order in which it came', async () => {
  const turns = createTurns();
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const take = (name: string, lanes: number): Promise<string> =>
    turns.take(async () => {
      log.push(name);
      await new Promise<void>((end) => ends.push(end));
      if (name === 'fails') throw new Error(name);
      return name;
    }, lanes);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const all = [take('a', 2), take('b', 2), take('c', 2), take('fails', 1), take('d', 2), take('e', 3)];
  const results = Promise.allSettled(all);
  const begun: string[][] = [];
  for (let i = 0; i < all.length; i++) {
    await settle();
    begun.push([...log]);
    expect(turns.isIdle()).toBe(false);
    ends[i]!();
  }
  expect(begun.map((names) => names.length)).toEqual([2, 3, 3, 4, 5, 6]);
  expect(log).toEqual(['a', 'b', 'c', 'fails', 'd', 'e']);
  expect((await results).map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
  expect(turns.isIdle()).toBe(true);
});
