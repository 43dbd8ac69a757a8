import polygonClipping, { type Pair, type Polygon as Rings } from 'polygon-clipping';
import { FinetuneError } from '../errors.js';

/** A polygon's corners x1, y1, x2, y2, … in either orientation; the last is joined to the first. It may touch or cross
 *  itself: the region that counts is the one it covers by the non-zero rule, which for quads equals the even-odd rule. */
export type Polygon = Float64Array;

/** The corners of an axis-parallel rectangle. */
export const rectangle = (x1: number, y1: number, x2: number, y2: number): Polygon =>
  Float64Array.of(x1, y1, x2, y1, x2, y2, x1, y2);

/** The smallest axis-parallel rectangle around a polygon: x1, y1, x2, y2. */
export function bounds(polygon: Polygon): [x1: number, y1: number, x2: number, y2: number] {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < polygon.length; i += 2) {
    x1 = Math.min(x1, polygon[i]!);
    x2 = Math.max(x2, polygon[i]!);
    y1 = Math.min(y1, polygon[i + 1]!);
    y2 = Math.max(y2, polygon[i + 1]!);
  }
  return [x1, y1, x2, y2];
}

/** Signed area by the shoelace formula about the first corner: positive if the corners are clockwise and y points down.
 *  Parts of a polygon that crosses itself cancel. */
function signedArea(polygon: ArrayLike<number>, length = polygon.length): number {
  const [x0, y0] = [polygon[0]!, polygon[1]!];
  let twice = 0;
  for (let i = 2; i + 3 < length; i += 2) {
    twice += (polygon[i]! - x0) * (polygon[i + 3]! - y0) - (polygon[i + 2]! - x0) * (polygon[i + 1]! - y0);
  }
  return twice / 2;
}

/** A polygon with what comparisons need, computed once. */
export interface Region {
  readonly polygon: Polygon;
  readonly area: number;
  readonly bounds: readonly [x1: number, y1: number, x2: number, y2: number];
  /** The corners with a positive signed area, if the polygon is convex; undefined if it is not. */
  readonly convex: Polygon | undefined;
}

export function region(polygon: Polygon): Region {
  const signed = signedArea(polygon);
  if (isConvex(polygon)) {
    const convex = signed < 0 ? reversed(polygon) : polygon;
    return { polygon, area: Math.abs(signed), bounds: bounds(polygon), convex };
  }
  const area = clippedArea((rings) => polygonClipping.union(rings), polygon);
  return { polygon, area, bounds: bounds(polygon), convex: undefined };
}

/** The area that two regions share.
 *  Throws E_POLYGON if the clipping library fails on them, even after two further tries with rounded corners. */
export function intersectionArea(a: Region, b: Region): number {
  const width = Math.min(a.bounds[2], b.bounds[2]) - Math.max(a.bounds[0], b.bounds[0]);
  const height = Math.min(a.bounds[3], b.bounds[3]) - Math.max(a.bounds[1], b.bounds[1]);
  if (!(width > 0 && height > 0)) return 0;
  if (a.convex && b.convex) return convexIntersectionArea(a.convex, b.convex);
  return clippedArea((p, q) => polygonClipping.intersection(p, q!), a.polygon, b.polygon);
}

/** Intersection over union; 0 if neither region has an area. Throws as intersectionArea does. */
export function polygonIou(a: Region, b: Region): number {
  const shared = intersectionArea(a, b);
  const union = a.area + b.area - shared;
  return union > 0 ? shared / union : 0;
}

/** Whether a polygon is convex: every turn is to the same side, and the corners go round once. */
function isConvex(polygon: Polygon): boolean {
  const edges = edgesOf(polygon);
  let side = 0;
  let turnsInX = 0;
  let lastDx = 0;
  let firstDx = 0;
  for (const [i, [dx, dy]] of edges.entries()) {
    const [nextDx, nextDy] = edges[(i + 1) % edges.length]!;
    const cross = dx * nextDy - dy * nextDx;
    if (cross !== 0) {
      if (side !== 0 && Math.sign(cross) !== side) return false;
      side = Math.sign(cross);
    }
    if (dx === 0) continue;
    if (lastDx * dx < 0) turnsInX++;
    if (firstDx === 0) firstDx = dx;
    lastDx = dx;
  }
  if (firstDx * lastDx < 0) turnsInX++;
  return turnsInX <= 2; // a pentagram always turns the same way, but goes round twice
}

/** The vectors from each corner to the next. A corner that is repeated has none to itself: it would hide the turn there. */
function edgesOf(polygon: Polygon): (readonly [dx: number, dy: number])[] {
  const n = polygon.length;
  const edges: (readonly [number, number])[] = [];
  for (let i = 0; i < n; i += 2) {
    const [dx, dy] = [polygon[(i + 2) % n]! - polygon[i]!, polygon[(i + 3) % n]! - polygon[i + 1]!];
    if (dx !== 0 || dy !== 0) edges.push([dx, dy]);
  }
  return edges;
}

function reversed(polygon: Polygon): Polygon {
  const n = polygon.length;
  return polygon.map((_, i) => polygon[n - 2 - (i & ~1) + (i & 1)]!);
}

/** Clips a convex polygon by every edge of another, both of positive signed area. Sutherland and Hodgman 1974. */
function convexIntersectionArea(subject: Polygon, clip: Polygon): number {
  let from = new Float64Array(subject.length + clip.length * 2 + 8); // an edge adds at most one corner
  let to = new Float64Array(from.length);
  from.set(subject);
  let length = subject.length;
  for (let i = 0; i < clip.length && length > 0; i += 2) {
    const [ax, ay] = [clip[i]!, clip[i + 1]!];
    const ex = clip[(i + 2) % clip.length]! - ax;
    const ey = clip[(i + 3) % clip.length]! - ay;
    if (ex === 0 && ey === 0) continue;
    let count = 0;
    let [px, py] = [from[length - 2]!, from[length - 1]!];
    let before = ex * (py - ay) - ey * (px - ax);
    for (let j = 0; j < length; j += 2) {
      const [x, y] = [from[j]!, from[j + 1]!];
      const inside = ex * (y - ay) - ey * (x - ax);
      if (before * inside < 0) {
        const part = before / (before - inside);
        to[count++] = px + part * (x - px);
        to[count++] = py + part * (y - py);
      }
      if (inside >= 0) {
        to[count++] = x;
        to[count++] = y;
      }
      [px, py, before] = [x, y, inside];
    }
    [from, to, length] = [to, from, count];
  }
  return length < 6 ? 0 : Math.abs(signedArea(from, length));
}

type Clip = (first: Rings, second?: Rings) => Rings[];

/** Grids (pixels) to which corners are rounded if polygon-clipping fails with the exact ones, which it can on nearly
 *  equal edges. */
const GRIDS = [0, 2 ** -10, 2 ** -4];

function clippedArea(clip: Clip, ...polygons: readonly [Polygon] | readonly [Polygon, Polygon]): number {
  let cause: unknown;
  for (const grid of GRIDS) {
    try {
      const [first, second] = polygons.map((polygon) => toRings(polygon, grid));
      return clip(first!, second).reduce((sum, rings) => sum + ringsArea(rings), 0);
    } catch (error) {
      cause = error;
    }
  }
  const corners = polygons.map((polygon) => `[${polygon.join(', ')}]`).join(' and ');
  throw new FinetuneError({ code: 'E_POLYGON', message: `cannot work out the area of ${corners}` }, { cause });
}

function toRings(polygon: Polygon, grid: number): Rings {
  const snap = (value: number) => (grid === 0 ? value : Math.round(value / grid) * grid);
  const ring: Pair[] = [];
  for (let i = 0; i < polygon.length; i += 2) ring.push([snap(polygon[i]!), snap(polygon[i + 1]!)]);
  return [ring];
}

/** The first ring is the outline, the others are holes. */
const ringsArea = (rings: Rings): number =>
  rings.reduce((sum, ring, i) => sum + (i === 0 ? 1 : -1) * Math.abs(signedArea(ring.flat())), 0);
