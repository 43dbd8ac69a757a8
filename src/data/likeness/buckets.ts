import { randomStream } from '../../random.js';
import type { Thumbnail } from './thumbnail.js';

/** Times that the pictures are divided into buckets, and the bits that name a bucket: a multiple of 16 tables uses up
 *  the signs of whole transforms. */
export const TABLES = 32;
const BITS = 16;

/** Divides pictures into buckets so that two that look the same share one, and most others do not: the first half of what
 *  is called locality-sensitive hashing (Charikar 2002). The name of a bucket is the signs of 16 random projections; each
 *  differs between two pictures of correlation r with probability arccos(r) / π. Of pairs with a correlation of 0.95,
 *  0.2 % share no bucket of 32 tables; of pairs with 0.97, 1 in 25,000. Yields the buckets of one table at a time, each as the
 *  indices of its pictures in ascending order; buckets with one picture are left out. */
export function* bucketsOf(thumbnails: readonly (Thumbnail | undefined)[]): Generator<Int32Array[]> {
  const signs = signsOf(thumbnails);
  for (let table = 0; table < TABLES; table++) {
    const starts = new Int32Array(2 ** BITS + 1);
    const nameOf = (i: number): number => signs[i * TABLES + table]!;
    thumbnails.forEach((thumbnail, i) => {
      if (thumbnail) starts[nameOf(i) + 1]!++;
    });
    for (let name = 0; name < 2 ** BITS; name++) starts[name + 1]! += starts[name]!;
    const members = new Int32Array(starts.at(-1)!);
    const ends = starts.slice();
    thumbnails.forEach((thumbnail, i) => {
      if (thumbnail) members[ends[nameOf(i)]!++] = i;
    });
    const buckets: Int32Array[] = [];
    for (let name = 0; name < 2 ** BITS; name++)
      if (starts[name + 1]! - starts[name]! > 1) buckets.push(members.subarray(starts[name], starts[name + 1]));
    yield buckets;
  }
}

/** The names of the buckets of each picture, [N, TABLES]. Changing random signs of the values and taking their
 *  Walsh-Hadamard transform projects them onto as many random directions, in N log N steps. */
function signsOf(thumbnails: readonly (Thumbnail | undefined)[]): Uint16Array {
  const length = thumbnails.find((one) => one !== undefined)?.values.length ?? 1;
  const rounds = Math.ceil((TABLES * BITS) / length);
  const random = randomStream(0, 'buckets of pictures');
  const flips = Array.from({ length: rounds }, () =>
    Float32Array.from({ length }, () => (random.chance(0.5) ? 1 : -1)),
  );
  const signs = new Uint16Array(thumbnails.length * TABLES);
  const projected = new Float32Array(length);
  thumbnails.forEach((thumbnail, i) => {
    if (!thumbnail) return;
    for (const [round, flip] of flips.entries()) {
      for (let k = 0; k < length; k++) projected[k] = thumbnail.values[k]! * flip[k]!;
      transform(projected);
      for (let k = 0; k < length; k++) {
        const bit = round * length + k;
        if (projected[k]! > 0) signs[i * TABLES + Math.floor(bit / BITS)]! |= 1 << (bit % BITS);
      }
    }
  });
  return signs;
}

/** The Walsh-Hadamard transform of a power of two of values, in their place. */
function transform(values: Float32Array): void {
  for (let half = 1; half < values.length; half *= 2)
    for (let start = 0; start < values.length; start += 2 * half)
      for (let i = start; i < start + half; i++) {
        const [a, b] = [values[i]!, values[i + half]!];
        values[i] = a + b;
        values[i + half] = a - b;
      }
}
