import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { keepsPixels, type AugmentOptions } from '../data/augment.js';
import type { WholeImageAugment } from '../data/augmentWhole.js';
import type { Batch } from '../data/loader.js';
import type { Feeds, Program, Session } from '../engine/engine.js';
import { sizeOf } from '../graph/shapes.js';
import { imageFeed } from './feeds.js';

export interface CacheOptions {
  readonly cache: 'none' | 'memory' | 'disk';
  /** MiB; what would go beyond is computed anew each time. */
  readonly cacheLimit: number;
  readonly batch: number;
  readonly augment: AugmentOptions | WholeImageAugment | false;
}

/** The frozen stages' outputs of each image, flipped and not, computed once. */
export interface FeatureCache {
  /** Whether the image's features are there, so that its pixels need not be read. */
  readonly has: (index: number, flipped: boolean) => boolean;
  /** The features of a batch as feeds, computing and keeping what is missing. */
  features(batch: Batch, size: readonly [number, number]): Promise<Feeds>;
  /** What it saved, in a sentence; `stepMs` is what a training step took besides. */
  report(stepMs: number): string;
  dispose(): Promise<void>;
}

const key = (index: number, flipped: boolean): string => `${index}${flipped ? 'f' : ''}`;

/** Opens the cache for a run. Throws E_CACHE_AUGMENT where augmentation changes more than the side of an image. */
export function openFeatureCache(
  session: Session,
  prefix: Program,
  options: CacheOptions,
  directory: string,
): FeatureCache {
  const { augment, batch, cacheLimit } = options;
  if (augment && !keepsPixels(augment)) {
    const message = 'train.cache keeps the features of each image, but data.augment changes its pixels at every epoch';
    const fix = 'switch everything in data.augment off (flip may stay), or set train.cache: none';
    throw new FinetuneError({ code: 'E_CACHE_AUGMENT', option: 'train.cache', message, fix });
  }
  const names = Object.keys(prefix.outputs);
  const sizes = Object.values(prefix.outputs).map(({ shape }) => sizeOf(shape) / batch);
  const bytes = 4 * sizes.reduce((sum, size) => sum + size, 0);
  const capacity = Math.floor((cacheLimit * 2 ** 20) / bytes);
  const folder = join(directory, 'features');
  const kept = new Map<string, Float32Array | 'on disk'>();
  const time = { hits: 0, hitMs: 0, misses: 0, missMs: 0 };

  const store = async (name: string, features: Float32Array): Promise<void> => {
    if (kept.size >= capacity) return;
    if (options.cache === 'memory') {
      kept.set(name, features);
      return;
    }
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${name}.f32`), features);
    kept.set(name, 'on disk');
  };
  const fetch = async (name: string): Promise<Float32Array | undefined> => {
    const found = kept.get(name);
    if (found !== 'on disk') return found;
    const bytesRead = await readFile(join(folder, `${name}.f32`));
    return new Float32Array(new Uint8Array(bytesRead).buffer);
  };

  return {
    has: (index, flipped) => kept.has(key(index, flipped)),
    async features({ samples, indices }, size) {
      const start = performance.now();
      const keys = samples.map(({ flipped }, i) => key(indices[i]!, flipped));
      const rows = await Promise.all(keys.map(fetch));
      const complete = rows.every(Boolean);
      const computed = complete ? undefined : await session.run('prefix', { image: imageFeed(samples, batch, size) });
      for (const [i, row] of rows.entries()) {
        if (row) continue;
        const whole = new Float32Array(bytes / 4);
        let offset = 0;
        for (const [f, name] of names.entries()) {
          whole.set(computed![name]!.subarray(i * sizes[f]!, (i + 1) * sizes[f]!), offset);
          offset += sizes[f]!;
        }
        rows[i] = whole;
        await store(keys[i]!, whole);
      }
      const elapsed = performance.now() - start;
      if (complete) Object.assign(time, { hits: time.hits + 1, hitMs: time.hitMs + elapsed });
      else Object.assign(time, { misses: time.misses + 1, missMs: time.missMs + elapsed });
      return stackFeatures(rows as Float32Array[], names, sizes, batch);
    },
    report(stepMs) {
      const hit = stepMs + time.hitMs / Math.max(time.hits, 1);
      const miss = stepMs + time.missMs / Math.max(time.misses, 1);
      const mebibytes = ((kept.size * bytes) / 2 ** 20).toFixed(0);
      const share = `${time.hits} of ${time.hits + time.misses} steps came from the cache (${mebibytes} MiB)`;
      if (time.hits === 0) return `Frozen features: ${share}.`;
      return `Frozen features: ${share}: ${hit.toFixed(0)} ms a step instead of ${miss.toFixed(0)}, ${(miss / hit).toFixed(1)} times as fast.`;
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Rows of concatenated features → one array [batch, …] per feature. */
function stackFeatures(
  rows: readonly Float32Array[],
  names: readonly string[],
  sizes: readonly number[],
  batch: number,
): Feeds {
  let offset = 0;
  const feeds = names.map((name, f) => {
    const size = sizes[f]!;
    const feed = new Float32Array(batch * size);
    for (const [i, row] of rows.entries()) feed.set(row.subarray(offset, offset + size), i * size);
    offset += size;
    return [name, feed] as const;
  });
  return Object.fromEntries(feeds);
}
