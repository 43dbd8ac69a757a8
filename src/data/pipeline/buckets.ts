import { shorterSideScale, type Extent, type SideLimits } from '../image/frame.js';

/** Pixels of a network's input. */
export type Size = readonly [height: number, width: number];

export interface SizeRange extends SideLimits {
  /** Maximum number of batch shapes. */
  readonly buckets: number;
}

/** Aspect ratios of cameras and screens, long side over short side. */
const PROPORTIONS = [4 / 3, 3 / 2, 16 / 9];

/** The shapes of batches, the largest first, with sides that are multiples of `multiple`. One bucket is `max` × `max`
 *  and holds every image. Two are `min` × `max`, landscape and portrait. Further pairs have common proportions, and
 *  after those long sides at even distances; an odd number adds a square of `min`. */
export function bucketSizes({ min, max, buckets }: SizeRange, multiple: number): readonly Size[] {
  const up = (side: number): number => Math.ceil(side / multiple) * multiple;
  const pairs = Math.floor(buckets / 2);
  const common = PROPORTIONS.map((proportion) => up(min * proportion)).filter((side) => side < up(max));
  const even = Array.from({ length: pairs }, (_, i) => up(min + ((max - min) * (pairs - i)) / pairs));
  const long = [...new Set([up(max), ...common, ...even])].slice(0, pairs).sort((a, b) => b - a);
  const wide = long.flatMap((side): Size[] => [
    [up(min), side],
    [side, up(min)],
  ]);
  const odd: Size[] = buckets % 2 === 0 ? [] : [pairs === 0 ? [up(max), up(max)] : [up(min), up(min)]];
  const all = new Map([...wide, ...odd].map((size) => [size.join(), size]));
  return [...all.values()];
}

/** The smallest bucket that holds an image at its full size; if none does, the largest, for which the image is made
 *  smaller. */
export function bucketOf(image: Extent, sizes: readonly Size[], limits: SideLimits): Size {
  const scale = shorterSideScale(image, limits);
  const [height, width] = [Math.round(image.height * scale), Math.round(image.width * scale)];
  const holding = sizes.filter(([h, w]) => h >= height && w >= width);
  const area = ([h, w]: Size): number => h * w;
  return holding.reduce((best, size) => (area(size) < area(best) ? size : best), holding[0] ?? sizes[0]!);
}

export interface BucketUse {
  readonly size: Size;
  /** Number of images that get this shape. */
  readonly images: number;
  /** Share of padding among the pixels of its images, 0…1; NaN without images. */
  readonly padding: number;
}

/** How images are distributed over the shapes of batches. */
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
