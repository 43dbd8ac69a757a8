import { expect, test } from '@jest/globals';
import { inOrder } from '../../src/predict/inOrder.js';
import * as fc from '../fastCheck.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Promises that a test resolves itself. */
const gates = (count: number) =>
  Array.from({ length: count }, () => {
    let resolve!: (value: number) => void;
    const promise = new Promise<number>((done) => (resolve = done));
    return { promise, resolve };
  });

test('results come in the order of the items, whichever is done first, with no more at once than allowed', async () => {
  const cases = fc.tuple(fc.array(fc.nat(3), { maxLength: 12 }), fc.integer({ min: 1, max: 4 }));
  await fc.assert(
    fc.asyncProperty(cases, async ([turns, ahead]) => {
      let [running, most] = [0, 0];
      const work = async (index: number) => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < turns[index]!; turn++) await Promise.resolve();
        running--;
        return index;
      };
      expect(await collect(inOrder(turns.keys(), work, ahead))).toEqual([...turns.keys()]);
      expect(most).toBeLessThanOrEqual(ahead);
    }),
  );
});

test('a result does not wait for items that are slow to come', async () => {
  const [first, second] = gates(2);
  async function* slow() {
    yield await first!.promise;
    yield await second!.promise;
  }
  const results = inOrder(slow(), (item) => Promise.resolve(item), 4);
  const one = results.next();
  first!.resolve(1);
  expect(await one).toEqual({ done: false, value: 1 });
  const two = results.next();
  second!.resolve(2);
  expect(await two).toEqual({ done: false, value: 2 });
});

test('an error of the list comes after the results before it', async () => {
  function* broken() {
    yield 1;
    throw new Error('no more');
  }
  const results = inOrder(broken(), (item) => Promise.resolve(item), 3);
  expect((await results.next()).value).toBe(1);
  await expect(results.next()).rejects.toThrow('no more');
});

test('an error of the work comes in its place, and the list is closed', async () => {
  let isClosed = false;
  function* endless() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      isClosed = true;
    }
  }
  const work = (item: number) => (item === 1 ? Promise.reject(new Error('bad')) : Promise.resolve(item));
  const results = inOrder(endless(), work, 3);
  expect((await results.next()).value).toBe(0);
  await expect(results.next()).rejects.toThrow('bad');
  expect(isClosed).toBe(true);
});
