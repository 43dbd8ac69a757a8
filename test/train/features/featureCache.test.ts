import { beforeEach, describe, expect, test } from '@jest/globals';
import { copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { loadBatches } from '../../../src/data/pipeline/loader.js';
import type { Annotation, Dataset } from '../../../src/data/sample.js';
import type { Session } from '../../../src/engine/engine.js';
import { xyxy } from '../../../src/geometry/box.js';
import * as b from '../../../src/graph/builder.js';
import { createGraph } from '../../../src/graph/builder.js';
import { openFeatureCache } from '../../../src/train/features/featureCache.js';
import { prefixIdentity } from '../../../src/train/features/prefixIdentity.js';
import { temporaryFolder } from '../../data/temporaryFolder.js';

const SIZE = [8, 8] as const;
const BATCH = 2;
const root = temporaryFolder();
let folder: string;
let made = 0;
const image = (name: string): string => join(folder, `${name}.png`);
const paint = (name: string, grey: number) =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: { r: grey, g: grey, b: grey } } })
    .png({ compressionLevel: 0 }) // without compression all files have the same length
    .toFile(image(name));

beforeEach(async () => {
  folder = join(root, String(made++));
  await mkdir(folder);
  for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) await paint(name, 10 * i);
});

const dataset = (names: readonly string[]): Dataset => {
  const annotations = names.map((name): Annotation => ({ kind: 'boxes', imageId: name, file: image(name), width: 8, height: 8, boxes: xyxy([]), classes: [], ignore: [] })); // prettier-ignore
  return { annotations, name: 'test', categories: [], dropped: {}, toCoco: () => { throw new Error('unused'); } }; // prettier-ignore
};

/** A prefix that weighs the pixels by one factor. */
function weighing(factor: number) {
  const graph = createGraph();
  const pixels = b.input(graph, 'image', [BATCH, ...SIZE, 3]);
  const weight = b.param(graph, { name: 'w', shape: [1], kind: 'vector', role: 'weight', init: { kind: 'zeros' } } as never); // prettier-ignore
  const prefix = { outputs: { 'feature.0': b.sum(b.mul(pixels, weight), [1, 2, 3]) } };
  return { prefix, params: new Map([['w', { shape: [1], data: Float32Array.of(factor) }]]), factor };
}

/** A cache over what weighing computes, and how often it was computed. */
async function open(cache: 'memory' | 'disk', { factor = 1, resize = 'stretch', names = ['a', 'b', 'c', 'd'] } = {}) {
  const { prefix, params } = weighing(factor);
  const ran = { times: 0 };
  const session = {
    run(_program: string, feeds: { image: Float32Array }) {
      ran.times++;
      const one = feeds.image.length / BATCH;
      const means = Array.from({ length: BATCH }, (_, i) => factor * feeds.image[i * one]!);
      return Promise.resolve({ 'feature.0': Float32Array.from(means) });
    },
  } as unknown as Session;
  const identity = prefixIdentity(prefix, params, { resize });
  const data = dataset(names);
  const options = { cache, cacheLimit: 1, batch: BATCH, augment: false, directory: folder } as const;
  const kept = await openFeatureCache(session, { prefix, identity }, data.annotations, options);
  /** Features of an epoch in the images' order, and how often the prefix ran for it. */
  const epoch = async () => {
    const before = ran.times;
    const features: number[] = [];
    for await (const batch of loadBatches(data, { batch: BATCH, size: SIZE, isKnown: kept.has }))
      features.push(...(await kept.features(batch, SIZE))['feature.0']!);
    return { features, runs: ran.times - before };
  };
  return { kept, epoch };
}

describe.each(['memory', 'disk'] as const)('features kept in %s', (where) => {
  test('an image that changes is computed anew, with its size and time as they were too', async () => {
    const { kept, epoch } = await open(where);
    expect(await epoch()).toEqual({ features: [0, 10, 20, 30], runs: 2 });
    expect(await epoch()).toEqual({ features: [0, 10, 20, 30], runs: 0 });
    const before = await stat(image('b'));
    await paint('b', 99);
    await utimes(image('b'), before.atime, before.mtime);
    expect((await stat(image('b'))).size).toBe(before.size);
    expect(await epoch()).toEqual({ features: [0, 99, 20, 30], runs: 1 });
    expect(await epoch()).toEqual({ features: [0, 99, 20, 30], runs: 0 });
    expect(kept.report(1)).toMatch(/changed on disk meanwhile: 1\./);
    await paint('b', 10);
    expect(await epoch()).toMatchObject({ features: [0, 10, 20, 30], runs: 0 }); // the same content as at first
    await kept.dispose();
  });

  test('the same picture in another file need not be computed', async () => {
    await copyFile(image('a'), image('c'));
    await copyFile(image('b'), image('d'));
    const { kept, epoch } = await open(where);
    expect(await epoch()).toEqual({ features: [0, 10, 0, 10], runs: expect.any(Number) });
    await copyFile(image('a'), image('b'));
    expect(await epoch()).toEqual({ features: [0, 0, 0, 10], runs: 0 });
    await kept.dispose();
  });

  test('an image that is gone is missed', async () => {
    const { kept, epoch } = await open(where);
    await epoch();
    await rm(image('d'));
    await expect(epoch()).rejects.toMatchObject({ code: 'E_IMAGE_MISSING' });
    await kept.dispose();
  });
});

describe('what a stopped run left on disk', () => {
  const files = async (): Promise<string[]> => {
    const [identity] = await readdir(join(folder, 'features'));
    return (await readdir(join(folder, 'features', identity!))).map((name) =>
      join(folder, 'features', identity!, name),
    );
  };

  test('is used again', async () => {
    const first = await open('disk');
    await first.epoch();
    await first.kept.dispose({ keep: true });
    const second = await open('disk');
    expect(await second.epoch()).toEqual({ features: [0, 10, 20, 30], runs: 0 });
    await second.kept.dispose();
    expect(await readdir(folder)).not.toContain('features');
  });

  test.each([{ factor: 2 }, { resize: 'letterbox' }])('is not used for %o', async (other) => {
    const first = await open('disk');
    await first.epoch();
    await first.kept.dispose({ keep: true });
    const second = await open('disk', other);
    expect((await second.epoch()).runs).toBe(2);
    await second.kept.dispose();
  });

  test('is not used where it was cut short or damaged', async () => {
    const first = await open('disk');
    await first.epoch();
    await first.kept.dispose({ keep: true });
    const [short, wrong] = await files();
    await writeFile(short!, (await readFile(short!)).subarray(0, 20));
    await writeFile(wrong!, (await readFile(wrong!)).fill(1, 0, 1));
    const second = await open('disk');
    expect((await second.epoch()).features).toEqual([0, 10, 20, 30]);
    await second.kept.dispose();
  });

  test('that was removed while the run goes on is named', async () => {
    const { kept, epoch } = await open('disk');
    await epoch();
    const [gone] = await files();
    await rm(gone!);
    await expect(epoch()).rejects.toMatchObject({ code: 'E_CACHE_GONE', problems: [{ where: { file: gone } }] });
    await kept.dispose();
  });
});
