import type { Augment } from '../../data/pipeline/augment/kinds.js';
import type { Batch } from '../../data/pipeline/loader.js';
import { mirrorPicture } from '../../data/pipeline/augment/mirror.js';
import type { Annotation, Picture, Sample } from '../../data/sample.js';
import type { Feeds, Results, Session } from '../../engine/engine.js';
import type { Program } from '../../graph/program.js';
import { sizeOf } from '../../graph/shapes.js';
import { fileContents } from './contents.js';
import { diskStore, memoryStore, type FeatureStore } from './featureStore.js';
import { imageFeed } from '../../tasks/feeds.js';

export interface CacheOptions {
  readonly cache: 'none' | 'memory' | 'disk';
  /** MiB; features beyond that are computed each time. */
  readonly cacheLimit: number;
  readonly batch: number;
  readonly augment: Augment | false;
  /** The run directory. */
  readonly directory: string;
}

/** The frozen stages as a program, and a hash of all that decides about their features besides the images
 *  (prefixIdentity). */
export interface FrozenPrefix {
  readonly prefix: Program;
  readonly identity: string;
}

/** Opens the cache of a run. Whoever opens it disposes of it. */
export async function openFeatureCache(
  session: Session,
  { prefix, identity }: FrozenPrefix,
  annotations: readonly Annotation[],
  options: CacheOptions,
): Promise<FeatureCache> {
  const { batch, directory } = options;
  const outputs = Object.keys(prefix.outputs);
  const sizes = Object.values(prefix.outputs).map(({ shape }) => sizeOf(shape) / batch);
  const length = sizes.reduce((sum, size) => sum + size, 0);
  const store = options.cache === 'memory' ? memoryStore() : await diskStore(directory, identity, length);
  return new FeatureCache(session, store, annotations, { outputs, sizes, length }, options);
}

/** The features of one image: the prefix's outputs, with the number of values of each, and of all together. */
interface Layout {
  readonly outputs: readonly string[];
  readonly sizes: readonly number[];
  readonly length: number;
}

/** The frozen stages' outputs of each image, flipped and not, computed once. Features are found by the content of the
 *  image's file, not by its position or name: a file that changes is computed again, and a copy of a picture under
 *  another name is not. */
export class FeatureCache {
  /** Entries that fit into the limit. */
  readonly #capacity: number;
  /** Whether the images of an epoch are flipped at random. */
  readonly #flips: boolean;
  /** One array per output, [batch, …]; reused for every batch, which saves allocating and collecting 10 MB a step. */
  readonly #stacked: readonly Float32Array[];
  readonly #contents = fileContents();
  /** The content of each image when the loader asked, before its pixels were read. */
  readonly #asked = new Map<number, string | undefined>();
  readonly #time = { hits: 0, hitMs: 0, misses: 0, missMs: 0 };

  constructor(
    private readonly session: Session,
    private readonly store: FeatureStore,
    private readonly annotations: readonly Annotation[],
    private readonly layout: Layout,
    private readonly options: Pick<CacheOptions, 'batch' | 'cacheLimit' | 'augment'>,
  ) {
    const { augment, batch, cacheLimit } = options;
    this.#capacity = Math.floor((cacheLimit * 2 ** 20) / (4 * layout.length));
    this.#flips = augment !== false && (augment.flip ?? 0) > 0 && augment.flip !== 1;
    this.#stacked = layout.sizes.map((size) => new Float32Array(batch * size));
  }

  /** Whether the features of the image, as its file is now, are cached, so that its pixels need not be read. */
  readonly has = (index: number, flipped: boolean): boolean => {
    const content = this.#contentOf(index);
    this.#asked.set(index, content);
    return content !== undefined && this.store.names.has(this.#nameOf(index, content, flipped));
  };

  /** Returns the features of a full batch as feeds, and computes and keeps those that are missing. The next call
   *  overwrites the arrays. */
  async features({ samples, indices }: Batch, size: readonly [number, number]): Promise<Feeds> {
    const start = performance.now();
    const names = samples.map(({ flipped }, i) => this.#nameAsked(indices[i]!, flipped));
    const rows = await Promise.all(names.map(async (name) => name && this.store.get(name)));
    const missing = samples.flatMap(({ picture }, i) => (rows[i] ? [] : [{ i, name: names[i], picture }]));
    const wanted = [...missing, ...this.#mirrored(missing, samples, indices)];
    for (const [k, row] of (await this.#compute(wanted, size)).entries()) {
      const { i, name } = wanted[k]!;
      if (k < missing.length) rows[i] = row;
      const isStill = this.#contentOf(indices[i]!) === this.#asked.get(indices[i]!); // otherwise the file changed while it was read
      if (name && isStill && this.store.names.size < this.#capacity) await this.store.put(name, row);
    }
    this.#count(missing.length === 0, performance.now() - start);
    stackFeatures(rows as Float32Array[], this.#stacked, this.layout.sizes);
    return Object.fromEntries(this.layout.outputs.map((output, f) => [output, this.#stacked[f]!]));
  }

  /** Says in a sentence what the cache saved; `stepMs` is what a training step took besides. */
  report(stepMs: number): string {
    const { hits, hitMs, misses, missMs } = this.#time;
    const hit = stepMs + hitMs / Math.max(hits, 1);
    const miss = stepMs + missMs / Math.max(misses, 1);
    const mebibytes = ((this.store.names.size * 4 * this.layout.length) / 2 ** 20).toFixed(0);
    const share = `${hits} of ${hits + misses} steps came from the cache (${mebibytes} MiB)`;
    const { changes } = this.#contents;
    const changed = changes > 0 ? ` Images that changed on disk meanwhile: ${changes}.` : '';
    if (hits === 0) return `Frozen features: ${share}.${changed}`;
    return `Frozen features: ${share}: ${hit.toFixed(0)} ms a step instead of ${miss.toFixed(0)}, ${(miss / hit).toFixed(1)} times as fast.${changed}`;
  }

  /** With `keep`, features on disk stay there for a run that resumes. */
  dispose(options?: { readonly keep?: boolean }): Promise<void> {
    return this.store.dispose(options);
  }

  #contentOf(index: number): string | undefined {
    return this.#contents.hash(this.annotations[index]!.file);
  }

  /** The annotation's size and tile are part of the name because they decide which part of the image is seen. */
  #nameOf(index: number, content: string, flipped: boolean): string {
    const { width, height, view } = this.annotations[index]!;
    const tile = view ? `-${view.left},${view.top},${view.width}` : '';
    return `${content}-${width}x${height}${tile}${flipped ? '-flipped' : ''}`;
  }

  #nameAsked(index: number, flipped: boolean): string | undefined {
    const content = this.#asked.get(index);
    return content && this.#nameOf(index, content, flipped);
  }

  /** The other side of missing images, where both come and there is room. Both sides are computed at once: otherwise a
   *  batch of 8 would find all its images cached in 1 case of 256 in the second epoch, and in 6 of 10 in the fifth. */
  #mirrored(missing: readonly Missing[], samples: readonly Sample[], indices: readonly number[]): Missing[] {
    if (!this.#flips) return [];
    const { names } = this.store;
    const room = Math.max(this.#capacity - names.size - missing.length, 0);
    return missing
      .flatMap(({ i, picture }) => {
        const name = this.#nameAsked(indices[i]!, !samples[i]!.flipped);
        return name && !names.has(name) ? [{ i, name, picture: mirrorPicture(picture) }] : [];
      })
      .slice(0, room);
  }

  /** Runs the prefix on pictures, a batch at a time, and returns a row of concatenated features for each. */
  async #compute(wanted: readonly Missing[], size: readonly [number, number]): Promise<Float32Array[]> {
    const { batch } = this.options;
    const computed: Float32Array[] = [];
    while (computed.length < wanted.length) {
      const some = wanted.slice(computed.length, computed.length + batch);
      const results = await this.session.run('prefix', { image: imageFeed(some, batch, size) });
      computed.push(...some.map((_, i) => rowOf(results, this.layout, i)));
    }
    return computed;
  }

  #count(isHit: boolean, milliseconds: number): void {
    this.#time[isHit ? 'hits' : 'misses']++;
    this.#time[isHit ? 'hitMs' : 'missMs'] += milliseconds;
  }
}

/** An image of a batch, by its place there, whose features are to be computed. */
interface Missing {
  readonly i: number;
  readonly name: string | undefined;
  readonly picture: Picture;
}

/** Concatenates the features of one image of a batch. */
function rowOf(results: Results, { outputs, sizes, length }: Layout, i: number): Float32Array {
  const row = new Float32Array(length);
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
