import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A named stream of random numbers whose whole state can be saved and restored: exact resume needs both. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform integer in [low, high), high exclusive. */
  integer(low: number, high: number): number;
  /** Normal with mean 0 and deviation 1 (Box–Muller, both halves drawn anew so that the state stays four words). */
  normal(): number;
  /** In-place Fisher–Yates; returns the same array. */
  shuffle<T>(items: T[]): T[];
  /** True with probability p. */
  chance(p: number): boolean;
  state(): readonly number[];
  restore(state: readonly number[]): void;
}

/** FNV-1a over the UTF-16 units of `text`, starting from `seed`: names and indices become well-spread seeds. */
export function hashSeed(seed: number, text: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0; // murmur3 finaliser: FNV's low bits are weak
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The stream called `name` of a run seeded with `seed`: equal names give equal numbers, different names independent ones. */
export function randomStream(seed: number, name: string): RandomStream {
  let generator = xoroshiro128plus(hashSeed(seed, name));
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
    state: () => generator.getState(),
    restore: (state) => {
      generator = xoroshiro128plusFromState(state);
    },
  };
  return stream;
}
