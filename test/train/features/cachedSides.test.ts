import { beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../../../src/data/pipeline/loader.js';
import { mirrorPicture } from '../../../src/data/pipeline/augment/mirror.js';
import type { Annotation, Picture, Sample } from '../../../src/data/sample.js';
import type { Feeds, Session } from '../../../src/engine/engine.js';
import { constant, createGraph } from '../../../src/graph/builder.js';
import { openFeatureCache } from '../../../src/train/features/featureCache.js';
import { temporaryFolder } from '../../data/temporaryFolder.js';

const BATCH = 4;
const [height, width] = [2, 3];
const root = temporaryFolder();
const annotations = Array.from({ length: 10 }, (_, i) => ({ file: join(root, `${i}`), width, height }) as Annotation);
beforeAll(() => Promise.all(annotations.map(({ file }, i) => writeFile(file, String(i)))));

/** The picture of a row as the loader gives it. */
function pictureOf(index: number, flipped: boolean): Picture {
  const upright = { data: Uint8Array.from({ length: height * width * 3 }, (_, i) => index * 20 + i), width, height };
  return flipped ? mirrorPicture(upright) : upright;
}

/** One feature: the first pixel, which tells images and their sides apart. Counts its calls. */
async function open({ cache, flip, cacheLimit = 1 }: { cache: 'memory' | 'disk'; flip: number; cacheLimit?: number }) {
  const counted = { calls: 0 };
  const run = (_: string, { image }: Feeds) => {
    counted.calls++;
    const first = Array.from({ length: BATCH }, (_, i) => [...image!.subarray(i * height * width * 3).subarray(0, 3)]);
    return Promise.resolve({ feature: Float32Array.from(first.flat()) });
  };
  const prefix = { outputs: { feature: constant(createGraph(), new Array(BATCH * 3).fill(0), [BATCH, 3]) } };
  const options = { cache, cacheLimit, batch: BATCH, augment: { kind: 'boxes' as const, flip }, directory: root };
  const session = { run } as unknown as Session;
  return { counted, cache: await openFeatureCache(session, { prefix, identity: 'test' }, annotations, options) };
}

function batchOf(rows: readonly (readonly [index: number, flipped: boolean])[], known: (row: number, flipped: boolean) => boolean): Batch {
  const samples = rows.map(([index, flipped]) => {
    const picture = known(index, flipped) ? { data: new Uint8Array(0), width: 0, height: 0 } : pictureOf(index, flipped);
    return { flipped, picture } as unknown as Sample;
  });
  return { size: [1, 1], samples, indices: rows.map(([index]) => index), encoded: [] };
} // prettier-ignore

const expected = (rows: readonly (readonly [number, boolean])[]): number[] =>
  rows.flatMap(([index, flipped]) => [...pictureOf(index, flipped).data.subarray(0, 3)]);

describe.each(['memory', 'disk'] as const)('features kept in %s', (where) => {
  const rows = [0, 1, 2, 3].map((index) => [index, index % 2 === 0] as const);
  const others = rows.map(([index, flipped]) => [index, !flipped] as const);

  test('an image that is seen one way is known both ways', async () => {
    const { cache, counted } = await open({ cache: where, flip: 0.5 });
    const first = await cache.features(batchOf(rows, cache.has), [height, width]);
    expect([...first.feature!]).toEqual(expected(rows));
    expect(counted.calls).toBe(2);
    const second = await cache.features(batchOf(others, cache.has), [height, width]);
    expect([...second.feature!]).toEqual(expected(others));
    expect(counted.calls).toBe(2);
    await cache.dispose();
  });

  test('a few new images among known ones take one call, with what they look like turned', async () => {
    const { cache, counted } = await open({ cache: where, flip: 0.5 });
    await cache.features(batchOf(rows, cache.has), [height, width]);
    const mixed = [...others.slice(0, 2), [8, false], [9, true]] as const;
    const found = await cache.features(batchOf(mixed, cache.has), [height, width]);
    expect([...found.feature!]).toEqual(expected(mixed));
    expect(counted.calls).toBe(3);
    expect([cache.has(8, true), cache.has(9, false)]).toEqual([true, true]);
    await cache.dispose();
  });

  test.each([0, 1])('with a flip of probability %d the other side is not computed', async (flip) => {
    const { cache, counted } = await open({ cache: where, flip });
    await cache.features(batchOf(rows, cache.has), [height, width]);
    expect(counted.calls).toBe(1);
    expect(others.some(([index, flipped]) => cache.has(index, flipped))).toBe(false);
    await cache.dispose();
  });

  test('beyond the limit it is computed anew, and right', async () => {
    const { cache } = await open({ cache: where, flip: 0.5, cacheLimit: (5 * 3 * 4) / 2 ** 20 });
    await cache.features(batchOf(rows, cache.has), [height, width]);
    const kept = [...rows, ...others].filter(([index, flipped]) => cache.has(index, flipped));
    expect(kept).toHaveLength(5);
    const found = await cache.features(batchOf(others, cache.has), [height, width]);
    expect([...found.feature!]).toEqual(expected(others));
    await cache.dispose();
  });
});
