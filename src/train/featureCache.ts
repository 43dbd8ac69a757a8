import type { Augment } from '../data/pipeline/augment/kinds.js';
import type { Batch } from '../data/pipeline/loader.js';
import { mirrorPicture } from '../data/pipeline/augment/mirror.js';
import type { Annotation, Picture } from '../data/sample.js';
import type { Feeds, Results, Session } from '../engine/engine.js';
import type { Program } from '../graph/program.js';
import { sizeOf } from '../graph/shapes.js';
import { fileContents } from './contents.js';
import { diskStore, memoryStore } from './featureStore.js';
import { imageFeed } from '../tasks/feeds.js';

export interface CacheOptions {
  readonly cache: 'none' | 'memory' | 'disk';
  /** MiB; what would go beyond is computed anew each time. */
  readonly cacheLimit: number;
  readonly batch: number;
  readonly augment: Augment | false;
  /** The run directory. */
  readonly directory: string;
}

/** The frozen stages' outputs of each image, flipped and not, computed once. What is kept is found by the content of the image's file, not
 *  by its place or name: another picture in the same file is computed anew, the same picture in another file is not. */
export interface FeatureCache {
  /** Whether the features of the image as its file is now are there, so that its pixels need not be read. */
  readonly has: (index: number, flipped: boolean) => boolean;
  /** The features of a full batch as feeds, computing and keeping what is missing; the arrays are written again at the next call. */
  features(batch: Batch, size: readonly [number, number]): Promise<Feeds>;
  /** What it saved, in a sentence; `stepMs` is what a training step took besides. */
  report(stepMs: number): string;
  /** With `keep`, what is on disk stays for a run that goes on. */
  dispose(options?: { readonly keep?: boolean }): Promise<void>;
}

/** Opens the cache for a run. `identity` names all that decides about features besides the images (prefixIdentity). */
export async function openFeatureCache(
  session: Session,
  { prefix, identity }: { readonly prefix: Program; readonly identity: string },
  annotations: readonly Annotation[],
  options: CacheOptions,
): Promise<FeatureCache> {
  const { augment, batch, cacheLimit } = options;
  const outputs = Object.keys(prefix.outputs);
  const sizes = Object.values(prefix.outputs).map(({ shape }) => sizeOf(shape) / batch);
  const bytes = 4 * sizes.reduce((sum, size) => sum + size, 0);
  const capacity = Math.floor((cacheLimit * 2 ** 20) / bytes);
  const store = options.cache === 'memory' ? memoryStore() : await diskStore(options.directory, identity, bytes / 4);
  // Where an image comes both ways, both are computed the first time: else a batch of 8 would find all its images known
  // in 1 case of 256 in the second epoch, and in 6 of 10 in the fifth.
  const flips = augment && (augment.flip ?? 0) > 0 && augment.flip !== 1;
  /** Used again for each batch, which a step has read when it ends: 10 MB less to clear and to collect. */
  const stacked = sizes.map((size) => new Float32Array(batch * size));
  const contents = fileContents();
  /** What each image was when the loader asked, before its pixels were read. */
  const asked = new Map<number, string | undefined>();
  const time = { hits: 0, hitMs: 0, misses: 0, missMs: 0 };

  const contentOf = (index: number): string | undefined => contents.hash(annotations[index]!.file);
  /** The annotation's size decides about the part that is seen. */
  const nameOf = (index: number, content: string, flipped: boolean): string => {
    const { width, height } = annotations[index]!;
    return `${content}-${width}x${height}${flipped ? '-flipped' : ''}`;
  };

  /** Rows of concatenated features. */
  const compute = async (pictures: readonly Picture[], size: readonly [number, number]): Promise<Float32Array[]> => {
    const computed: Float32Array[] = [];
    while (computed.length < pictures.length) {
      const some = pictures.slice(computed.length, computed.length + batch);
      const image = imageFeed(some.map((picture) => ({ picture })), batch, size); // prettier-ignore
      const results = await session.run('prefix', { image });
      computed.push(...some.map((_, i) => rowOf(results, outputs, sizes, i)));
    }
    return computed;
  };

  return {
    has(index, flipped) {
      const content = contentOf(index);
      asked.set(index, content);
      return content !== undefined && store.names.has(nameOf(index, content, flipped));
    },
    async features({ samples, indices }, size) {
      const start = performance.now();
      const nameAt = (i: number, flipped: boolean): string | undefined => {
        const content = asked.get(indices[i]!);
        return content && nameOf(indices[i]!, content, flipped);
      };
      const names = samples.map(({ flipped }, i) => nameAt(i, flipped));
      const rows = await Promise.all(names.map(async (name) => name && store.get(name)));
      const missing = samples.flatMap(({ picture }, i) => (rows[i] ? [] : [{ i, name: names[i], picture }]));
      const turned = missing.flatMap(({ i, picture }) => {
        const name = flips && nameAt(i, !samples[i]!.flipped);
        return name && !store.names.has(name) ? [{ i, name, picture: mirrorPicture(picture) }] : [];
      });
      const room = Math.max(capacity - store.names.size - missing.length, 0);
      const wanted = [...missing, ...turned.slice(0, room)];
      const pictures = wanted.map(({ picture }) => picture);
      for (const [k, row] of (await compute(pictures, size)).entries()) {
        const { i, name } = wanted[k]!;
        if (k < missing.length) rows[i] = row;
        const isStill = contentOf(indices[i]!) === asked.get(indices[i]!); // else the pixels may be those of before or after
        if (name && isStill && store.names.size < capacity) await store.put(name, row);
      }
      const elapsed = performance.now() - start;
      if (missing.length === 0) Object.assign(time, { hits: time.hits + 1, hitMs: time.hitMs + elapsed });
      else Object.assign(time, { misses: time.misses + 1, missMs: time.missMs + elapsed });
      stackFeatures(rows as Float32Array[], stacked, sizes);
      return Object.fromEntries(outputs.map((output, f) => [output, stacked[f]!]));
    },
    report(stepMs) {
      const hit = stepMs + time.hitMs / Math.max(time.hits, 1);
      const miss = stepMs + time.missMs / Math.max(time.misses, 1);
      const mebibytes = ((store.names.size * bytes) / 2 ** 20).toFixed(0);
      const share = `${time.hits} of ${time.hits + time.misses} steps came from the cache (${mebibytes} MiB)`;
      const changed = contents.changes > 0 ? ` Images that changed on disk meanwhile: ${contents.changes}.` : '';
      if (time.hits === 0) return `Frozen features: ${share}.${changed}`;
      return `Frozen features: ${share}: ${hit.toFixed(0)} ms a step instead of ${miss.toFixed(0)}, ${(miss / hit).toFixed(1)} times as fast.${changed}`;
    },
    dispose: (options) => store.dispose(options),
  };
}

/** The features of one image of a batch, concatenated. */
function rowOf(results: Results, outputs: readonly string[], sizes: readonly number[], i: number): Float32Array {
  const row = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  for (const [f, output] of outputs.entries()) {
    row.set(results[output]!.subarray(i * sizes[f]!, (i + 1) * sizes[f]!), offset);
    offset += sizes[f]!;
  }
  return row;
}

/** Writes rows of concatenated features into one array [batch, …] per feature, of the given sizes per image. */
function stackFeatures(rows: readonly Float32Array[], feeds: readonly Float32Array[], sizes: readonly number[]): void {
  let offset = 0;
  for (const [f, size] of sizes.entries()) {
    for (const [i, row] of rows.entries()) feeds[f]!.set(row.subarray(offset, offset + size), i * size);
    offset += size;
  }
}
