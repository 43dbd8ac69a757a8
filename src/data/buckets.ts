import type { Extent } from './frame.js';

/** Pixels of a network's input. */
export type Size = readonly [height: number, width: number];

/** Resizing by the shorter side: it becomes `min`, unless the longer one would come to more than `max`. */
export interface SideLimits {
  readonly min: number;
  readonly max: number;
}

export interface SizeRange extends SideLimits {
  /** Most shapes of batches. */
  readonly buckets: number;
}

/** Factor from the image to the input, torchvision's GeneralizedRCNNTransform. */
export const shorterSideScale = ({ width, height }: Extent, { min, max }: SideLimits): number =>
  Math.min(min / Math.min(width, height), max / Math.max(width, height));

/** The shapes of batches, the largest first, sides in multiples of `multiple`. One alone holds everything, `max` × `max`; two are it lying and
 *  standing, `min` × `max`; more have shorter long sides, evenly apart, and an odd number a square of `min`. */
export function bucketSizes({ min, max, buckets }: SizeRange, multiple: number): readonly Size[] {
  const up = (side: number): number => Math.ceil(side / multiple) * multiple;
  const pairs = Math.floor(buckets / 2);
  const long = Array.from({ length: pairs }, (_, i) => up(min + ((max - min) * (pairs - i)) / pairs));
  const wide = long.flatMap((side): Size[] => [[up(min), side], [side, up(min)]]); // prettier-ignore
  const odd: Size[] = buckets % 2 === 0 ? [] : [pairs === 0 ? [up(max), up(max)] : [up(min), up(min)]];
  const all = new Map([...wide, ...odd].map((size) => [size.join(), size]));
  return [...all.values()];
}

/** The bucket that an image fills most, of those that hold it at its full size; else the largest, in which it becomes smaller. */
export function bucketOf(image: Extent, sizes: readonly Size[], limits: SideLimits): Size {
  const scale = shorterSideScale(image, limits);
  const [height, width] = [Math.round(image.height * scale), Math.round(image.width * scale)];
  const holding = sizes.filter(([h, w]) => h >= height && w >= width);
  const area = ([h, w]: Size): number => h * w;
  return holding.reduce((best, size) => (area(size) < area(best) ? size : best), holding[0] ?? sizes[0]!);
}
