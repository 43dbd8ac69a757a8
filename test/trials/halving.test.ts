import { expect, test } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nextTrial, rungsOf, type Trial } from '../../src/trials/halving.js';
import { trainByHalves } from '../../src/trials/trainByHalves.js';
import { firstState } from '../../src/train/checkpoint/state.js';
import { writeSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const folder = temporaryFolder();
const trial = (...scores: number[]): Trial => ({ scores, isRunning: false, hasFailed: false });

test('settings are compared after a ninth, a third and all of the epochs, where these are evaluated', () => {
  expect(rungsOf({ epochs: 9, evaluateEvery: 1 })).toEqual([1, 3, 9]);
  expect(rungsOf({ epochs: 40, evaluateEvery: 4 })).toEqual([8, 16, 40]);
  expect(rungsOf({ epochs: 2, evaluateEvery: 1 })).toEqual([1, 2]);
  expect(rungsOf({ epochs: 1, evaluateEvery: 1 })).toEqual([1]);
});

test('every setting begins before the best third of a rung goes on, the lowest rung first', () => {
  expect(nextTrial([trial(), trial()], 3)).toEqual({ index: 0, rung: 0 });
  expect(nextTrial([trial(0.1), trial(0.3), trial()], 3)).toEqual({ index: 2, rung: 0 });
  expect(nextTrial([trial(0.1), trial(0.3), trial(0.2), trial()], 3)).toEqual({ index: 3, rung: 0 });
  expect(nextTrial([trial(0.1), trial(0.3), trial(0.2)], 3)).toEqual({ index: 1, rung: 1 });
  const all = [trial(0.4, 0.5), trial(0.3, 0.4), trial(0.2, 0.3), trial(0.1), trial(0.7), ...Array.from({ length: 7 }, () => trial(0))]; // prettier-ignore
  expect(nextTrial(all, 3)).toEqual({ index: 4, rung: 1 });
});

test('one that runs or has failed is not begun again', () => {
  const others = [trial(0.1), trial(0.2)];
  expect(nextTrial([...others, { ...trial(0.3), isRunning: true }], 3)).toBeUndefined();
  expect(nextTrial([{ ...trial(), hasFailed: true }], 3)).toBeUndefined();
});

test('of few settings one is trained to the end all the same', () => {
  expect(nextTrial([trial(0.1), trial(0.2)], 3)).toEqual({ index: 1, rung: 1 });
  expect(nextTrial([trial(0.1), trial(0.2, 0.3)], 3)).toEqual({ index: 1, rung: 2 });
  expect(nextTrial([trial(0.1), trial(0.2, 0.3, 0.4)], 3)).toBeUndefined();
});

test.each([1, 4])(
  'of twelve settings the best one is found, %i at a time, and a stopped sweep goes on',
  async (parallel) => {
    const members = Array.from({ length: 12 }, (_, i) => ({
      directory: join(folder, `${parallel}-${i}`),
      set: [`lr=${i}`],
    }));
    const epochs = new Map<string, number>();
    let calls = 0;
    const options = (signal: AbortSignal) => ({ file: join(folder, `asha-${parallel}.json`), train: { epochs: 9, evaluateEvery: 1 }, parallel, signal }); // prettier-ignore
    const abort = new AbortController();
    /** The eighth setting is the best; its score grows with the epochs. */
    const train = async ({ directory, set }: (typeof members)[number], until = 9): Promise<boolean> => {
      epochs.set(set[0]!, until);
      await mkdir(join(directory, 'checkpoints'), { recursive: true });
      const state = {
        ...firstState('r'),
        epoch: until,
        bestEpoch: until,
        bestScore: until / 9 - Math.abs(Number(set[0]!.slice(3)) - 7),
      };
      await writeSafetensors(join(directory, 'checkpoints', 'last.safetensors'), new Map(), {
        metadata: { state: JSON.stringify(state) },
      });
      if (++calls === 6) abort.abort();
      return true;
    };
    await trainByHalves(members, train, options(abort.signal));
    const begun = calls;
    expect(begun).toBeLessThan(6 + parallel);
    const stopped = await trainByHalves(members, train, options(new AbortController().signal));
    expect(epochs.get('lr=7')).toBe(9);
    expect(stopped.map(({ set }) => set[0])).not.toContain('lr=7');
    expect(stopped.map((one) => one.epochs)).toEqual(stopped.map((one) => one.epochs).sort((a, b) => b - a));
    // 12 · 1 + 4 · 2 + 1 · 6 epochs one at a time; without halving there would be 12 · 9.
    const spent = [...epochs.values()].reduce((sum, one) => sum + one, 0);
    if (parallel === 1) expect(spent).toBe(26);
    else expect(spent).toBeLessThanOrEqual((12 * 9) / 2);
  },
);
