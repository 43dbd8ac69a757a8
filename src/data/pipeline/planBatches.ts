import { bucketOf, type Size } from './buckets.js';
import type { Extent, SideLimits } from '../image/frame.js';

/** One batch of an epoch: the places of its images in the epoch's order, and the shape that all of them get. */
export interface PlannedBatch {
  readonly places: readonly number[];
  readonly size: Size;
}

export interface BatchShapes {
  /** The only shape, or the first of the buckets. */
  readonly size: Size;
  readonly buckets?: readonly Size[] | undefined;
  readonly limits?: SideLimits | undefined;
}

/** Plans the batches of an epoch whose images come in the given order. Each image waits in its bucket until the bucket
 *  fills a batch. At the end, what is left in each bucket becomes a smaller batch. With `dropLast` all batches must be
 *  full, so what is left in all buckets is batched together, in the shape that most of its images would have had; less
 *  than one batch is left out, so that there are as many batches as with one shape. */
export function planBatches(
  images: readonly Extent[],
  { size, buckets = [size], limits, batch, dropLast = false }: BatchShapes & { batch: number; dropLast?: boolean },
): PlannedBatch[] {
  const waiting = new Map<Size, number[]>(buckets.map((bucket) => [bucket, []]));
  const shapes = images.map((image) => (limits ? bucketOf(image, buckets, limits) : buckets[0]!));
  const planned: PlannedBatch[] = [];
  for (const [place, bucket] of shapes.entries()) {
    const places = waiting.get(bucket)!;
    places.push(place);
    if (places.length === batch) planned.push({ size: bucket, places: places.splice(0) });
  }
  if (!dropLast) {
    const rest = [...waiting].filter(([, places]) => places.length > 0);
    return [...planned, ...rest.map(([bucket, places]) => ({ size: bucket, places }))];
  }
  const rest = [...waiting.values()].flat().sort((a, b) => a - b);
  for (; rest.length >= batch;) {
    const places = rest.splice(0, batch);
    planned.push({ places, size: commonest(places.map((place) => shapes[place]!)) });
  }
  return planned;
}

/** The size that occurs most often; of several, the first. */
function commonest(sizes: readonly Size[]): Size {
  const counts = new Map<Size, number>();
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
