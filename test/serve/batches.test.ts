import { describe, expect, test } from '@jest/globals';
import { lateSenders } from '../../src/serve/admission.js';
import { createBatcher } from '../../src/serve/batches.js';

test('bodies that come too slowly are given up, and the last ones where they are too many', () => {
  const sender = (bytesRead: number, since = 0) => ({ socket: { bytesRead }, since, before: 100 });
  const [slow, steady, fresh, large] = [sender(4000), sender(20_000), sender(100, 15_000), sender(90_000)];
  const all = [slow, steady, fresh, large];
  expect(lateSenders(all, 4000, 200_000)).toEqual({ slow: [], beyond: [] });
  expect(lateSenders(all, 16_000, 200_000)).toEqual({ slow: [slow], beyond: [] });
  expect(lateSenders(all, 16_000, 100_000)).toEqual({ slow: [slow], beyond: [large] });
});

describe('batches', () => {
  const gate = () => {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { open, opened };
  };

  test('are made of what waits, and everyone gets the own result', async () => {
    const { open, opened } = gate();
    const sizes: number[] = [];
    const lane = async (images: readonly number[]) => {
      await opened;
      return images.map((image) => image * 10);
    };
    const batcher = createBatcher({
      ...{ lanes: [lane], batch: 4, batchDelay: 0, timeLimit: 1000 },
      onBatch: (size) => sizes.push(size),
    });
    const results = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((image) => batcher.run(image));
    expect(batcher.waiting()).toBe(7);
    open();
    expect(await Promise.all(results)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(sizes).toEqual([1, 1, 4, 1, 1, 1]);
  });

  test('leave out those whose client went away, and end what takes too long', async () => {
    const seen: number[] = [];
    const { open, opened } = gate();
    const lane = async (images: readonly number[]) => {
      seen.push(...images);
      await opened;
      return images;
    };
    const batcher = createBatcher({ lanes: [lane], batch: 1, batchDelay: 0, timeLimit: 30 });
    const controller = new AbortController();
    const slow = [batcher.run(1), batcher.run(2)].map((run) =>
      expect(run).rejects.toMatchObject({ code: 'E_SERVE_TIME' }),
    );
    const gone = batcher.run(3, controller.signal);
    controller.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await Promise.all(slow);
    open();
    expect(await batcher.run(4)).toBe(4);
    expect(seen).toEqual([1, 2, 4]);
  });
});
