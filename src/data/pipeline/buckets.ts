import { shorterSideScale, type Extent, type SideLimits } from '../image/frame.js';

/** Pixels of a network's input. */
export type Size = readonly [height: number, width: number];

export interface SizeRange extends SideLimits {
  /** Most shapes of batches. */
  readonly buckets: number;
}

/** Long sides over short ones that cameras and screens have. */
const PROPORTIONS = [4 / 3, 3 / 2, 16 / 9];

/** The shapes of batches, the largest first, sides in multiples of `multiple`. One alone holds everything, `max` × `max`; two are `min` × `max`, lying
 *  and standing; of more pairs the next have common proportions, the others long sides evenly between; an odd number has a square of `min`. */
export function bucketSizes({ min, max, buckets }: SizeRange, multiple: number): readonly Size[] {
  const up = (side: number): number => Math.ceil(side / multiple) * multiple;
  const pairs = Math.floor(buckets / 2);
  const common = PROPORTIONS.map((proportion) => up(min * proportion)).filter((side) => side < up(max));
  const even = Array.from({ length: pairs }, (_, i) => up(min + ((max - min) * (pairs - i)) / pairs));
  const long = [...new Set([up(max), ...common, ...even])].slice(0, pairs).sort((a, b) => b - a);
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

export interface BucketUse {
  readonly size: Size;
  /** That have this shape. */
  readonly images: number;
  /** Share of the shape's pixels that none of its images fills, 0…1; NaN without images. */
  readonly padding: number;
}

/** How images spread over the shapes of batches. */
export function bucketUse(images: readonly Extent[], sizes: readonly Size[], limits: SideLimits): BucketUse[] {
  const uses = sizes.map((size) => ({ size, images: 0, filled: 0 }));
  for (const image of images) {
    const use = uses[sizes.indexOf(bucketOf(image, sizes, limits))]!;
    use.images++;
    use.filled += image.width * image.height * shorterSideScale(image, limits) ** 2;
  }
  return uses.map(({ size, images: count, filled }) => ({
    size,
    images: count,
    padding: 1 - filled / (count * size[0] * size[1]),
  }));
}
