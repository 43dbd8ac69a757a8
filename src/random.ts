import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers. Its seed and name determine all of them, so that a resumed run draws the same ones. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform integer in [low, high), high exclusive. */
  integer(low: number, high: number): number;
  /** Normal with mean 0 and deviation 1, by Box–Muller. */
  normal(): number;
  /** In-place Fisher–Yates; returns the same array. */
  shuffle<T>(items: T[]): T[];
  /** True with probability p. */
  chance(p: number): boolean;
}

/** Hashes a seed and a text to a well-spread 32-bit seed: FNV-1a over the text's UTF-16 units, starting from `seed`. */
export function hashSeed(seed: number, text: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0; // murmur3's finaliser, because FNV's low bits are weak
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Opens the stream called `name` of a seed: equal names give equal numbers, different names independent ones. */
export function randomStream(seed: number, name: string): RandomStream {
  const generator = xoroshiro128plus(hashSeed(seed, name));
  const stream: RandomStream = {
    next: () => uniformFloat64(generator),
    uniform: (low, high) => low + (high - low) * stream.next(),
    integer: (low, high) => low + Math.floor((high - low) * stream.next()),
    normal: () => Math.sqrt(-2 * Math.log(1 - stream.next())) * Math.cos(2 * Math.PI * stream.next()),
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = stream.integer(0, i + 1);
        [items[i], items[j]] = [items[j]!, items[i]!];
      }
      return items;
    },
    chance: (p) => stream.next() < p,
  };
  return stream;
}
