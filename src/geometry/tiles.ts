/** How a large image is cut into tiles. */
export interface Tiling {
  /** Side of a tile, pixels of the image. */
  readonly size: number;
  /** Share of a tile that it has in common with the next one, 0.05…0.9. An object that is smaller than this is seen whole
   *  in some tile. */
  readonly overlap: number;
}

/** Limits of `size` and `overlap`. With less overlap, parts that a seam cuts would not meet: see NEAR. */
export const LEAST_TILE = 32;
export const LEAST_OVERLAP = 0.05;
export const MOST_OVERLAP = 0.9;

/** A tile, in pixels of the image. It may reach beyond an image that is smaller than a tile. */
export interface Tile {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The tiles of an image, row after row; they have one size and are spread evenly. An image that fits into a tile has
 *  one. */
export function tilesOf({ width, height }: { width: number; height: number }, { size, overlap }: Tiling): Tile[] {
  const columns = startsOf(width, size, overlap);
  const rows = startsOf(height, size, overlap);
  return rows.flatMap((top) => columns.map((left) => ({ left, top, width: size, height: size })));
}

function startsOf(length: number, size: number, overlap: number): number[] {
  if (length <= size) return [0];
  const step = Math.max(1, size * (1 - overlap));
  const gaps = Math.ceil((length - size) / step - 1e-9); // without the rounding of 0.2 and its like
  return Array.from({ length: gaps + 1 }, (_, i) => Math.round((i * (length - size)) / gaps));
}

/** The sides of a tile at which something in it is cut off. */
export interface CutSides {
  readonly left: boolean;
  readonly top: boolean;
  readonly right: boolean;
  readonly bottom: boolean;
}

export const WHOLE: CutSides = { left: false, top: false, right: false, bottom: false };

export const isCut = ({ left, top, right, bottom }: CutSides): boolean => left || top || right || bottom;

/** How near to the edge of a tile a box ends that the tile cuts, as a share of the tile: predicted edges are not exact. */
const NEAR = 0.015;

/** The sides at which a tile cuts what is inside of these bounds, x1, y1, x2, y2. The edge of the image cuts nothing. */
export function cutSidesOf(
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  { left, top, width, height }: Tile,
  image: { readonly width: number; readonly height: number },
): CutSides {
  const [nearX, nearY] = [width * NEAR, height * NEAR];
  return {
    left: left > 0 && x1 <= left + nearX,
    top: top > 0 && y1 <= top + nearY,
    right: left + width < image.width && x2 >= left + width - nearX,
    bottom: top + height < image.height && y2 >= top + height - nearY,
  };
}

type Bounds = readonly [x1: number, y1: number, x2: number, y2: number];

/** Least share of the common extent along a seam for two parts to be one object. */
const SAME_EXTENT = 0.5;

/** Whether two parts in two tiles are parts of one object: the one goes on where the other is cut off, they overlap
 *  between their tiles, and along the seam they have about the same extent. */
export function continues(a: Bounds, cutA: CutSides, b: Bounds, cutB: CutSides): boolean {
  const meets = (axis: 0 | 1, [before, after]: readonly [boolean, boolean], [one, other]: readonly [Bounds, Bounds]) =>
    before &&
    after &&
    one[axis + 2]! >= other[axis] &&
    one[axis] <= other[axis] &&
    shareOf(one, other, 1 - axis) >= SAME_EXTENT;
  return (
    meets(0, [cutA.right, cutB.left], [a, b]) ||
    meets(0, [cutB.right, cutA.left], [b, a]) ||
    meets(1, [cutA.bottom, cutB.top], [a, b]) ||
    meets(1, [cutB.bottom, cutA.top], [b, a])
  );
}

/** Intersection over union of two extents along an axis. */
function shareOf(a: Bounds, b: Bounds, axis: number): number {
  const shared = Math.min(a[axis + 2]!, b[axis + 2]!) - Math.max(a[axis]!, b[axis]!);
  const both = Math.max(a[axis + 2]!, b[axis + 2]!) - Math.min(a[axis]!, b[axis]!);
  return both > 0 ? shared / both : 0;
}

export const unionOf = (a: Bounds, b: Bounds): [number, number, number, number] => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
];

/** The sides at which the union of two parts is still cut off: those where the part that reaches furthest is. */
export function cutSidesOfUnion(a: Bounds, cutA: CutSides, b: Bounds, cutB: CutSides): CutSides {
  return {
    left: a[0] <= b[0] ? cutA.left : cutB.left,
    top: a[1] <= b[1] ? cutA.top : cutB.top,
    right: a[2] >= b[2] ? cutA.right : cutB.right,
    bottom: a[3] >= b[3] ? cutA.bottom : cutB.bottom,
  };
}
