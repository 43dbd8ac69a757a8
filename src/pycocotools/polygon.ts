import { CocoError } from './errors.js';
import { MAX_PIXELS, type Runs } from './rle.js';

/** Edges are drawn on a grid that is finer than the pixels by this factor. maskApi.c, rleFrPoly, `scale`. */
const UPSAMPLING = 5;
/** Largest coordinate: drawing walks along the edges, so farther points, which are damage, would take minutes. */
const MAX_COORDINATE = 1e7;

/** Rasterize a polygon [x1, y1, x2, y2, …], pixels. maskApi.c, rleFrPoly: every edge is walked on the upsampled grid in
 *  the polygon's own direction, and where it crosses the centre of a pixel column the row is noted; the sorted
 *  crossings are the runs.
 *  Throws E_COCO_POLYGON for fewer than three points, an odd number of coordinates, or coordinates that are not finite,
 *  E_COCO_MASK for an impossible size. */
export function runsFromPolygon(xy: ArrayLike<number>, height: number, width: number): Runs {
  if (xy.length < 6 || xy.length % 2 !== 0) {
    throw new CocoError({
      code: 'E_COCO_POLYGON',
      message: `${xy.length} coordinates do not make a polygon (x, y of three points or more)`,
    });
  }
  if (!(Number.isInteger(height) && Number.isInteger(width) && height * width <= MAX_PIXELS)) {
    throw new CocoError({ code: 'E_COCO_MASK', message: `${height} × ${width} is not a valid image size` });
  }
  const crossings = boundaryCrossings(upsample(xy), height, width);
  return { height, width, counts: runsBetween(crossings) };
}

/** Rasterizes a box [x, y, width, height] as the polygon of its corners. maskApi.c, rleFrBbox. */
export function runsFromBbox(bbox: ArrayLike<number>, height: number, width: number): Runs {
  const left = bbox[0]!;
  const top = bbox[1]!;
  const right = left + bbox[2]!;
  const bottom = top + bbox[3]!;
  return runsFromPolygon([left, top, left, bottom, right, bottom, right, top], height, width);
}

/** The points on the fine grid, with the first one repeated at the end. */
function upsample(xy: ArrayLike<number>): Int32Array {
  const points = new Int32Array(xy.length + 2);
  for (let i = 0; i < xy.length; i++) {
    const value = xy[i]!;
    if (!(Math.abs(value) <= MAX_COORDINATE)) {
      throw new CocoError({ code: 'E_COCO_POLYGON', message: `coordinate ${i} of a polygon is ${value}` });
    }
    points[i] = Math.trunc(UPSAMPLING * value + 0.5); // C's cast: towards zero, also below it
  }
  points[xy.length] = points[0]!;
  points[xy.length + 1] = points[1]!;
  return points;
}

/** The column-major pixel indices at which inside and outside change, ending with height · width. */
function boundaryCrossings(points: Int32Array, height: number, width: number): Uint32Array {
  const crossings: number[] = [];
  let previousU = 0;
  let previousV = 0;
  const visit = (u: number, v: number): void => {
    if (u !== previousU) {
      const x = ((u < previousU ? u : u - 1) + 0.5) / UPSAMPLING - 0.5;
      if (Math.floor(x) === x && x >= 0 && x <= width - 1) {
        const y = (Math.min(v, previousV) + 0.5) / UPSAMPLING - 0.5;
        crossings.push(x * height + Math.ceil(y < 0 ? 0 : y > height ? height : y));
      }
    }
    previousU = u;
    previousV = v;
  };
  previousU = points[0]!;
  previousV = points[1]!;
  for (let j = 0; j + 3 < points.length; j += 2)
    walkEdge(points[j]!, points[j + 1]!, points[j + 2]!, points[j + 3]!, visit);
  crossings.push(height * width);
  return Uint32Array.from(crossings).sort();
}

/** Every grid point from (x0, y0) to (x1, y1) inclusive, stepping along the longer axis. The other coordinate is always
 *  computed from the lower end, so that an edge drawn both ways gives the same points. `| 0` is C's cast: towards zero. */
function walkEdge(x0: number, y0: number, x1: number, y1: number, visit: (u: number, v: number) => void): void {
  const dx = Math.abs(x1 - x0);
  const dy = Math.abs(y1 - y0);
  const alongX = dx >= dy;
  const steps = alongX ? dx : dy;
  if (steps === 0) {
    visit(x0, y0);
    return;
  }
  const flip = alongX ? x0 > x1 : y0 > y1;
  const [xs, ys, xe, ye] = flip ? [x1, y1, x0, y0] : [x0, y0, x1, y1];
  const slope = alongX ? (ye - ys) / dx : (xe - xs) / dy;
  for (let d = 0; d <= steps; d++) {
    const t = flip ? steps - d : d;
    if (alongX) visit(t + xs, (ys + slope * t + 0.5) | 0);
    else visit((xs + slope * t + 0.5) | 0, t + ys);
  }
}

/** The differences of sorted crossings; two crossings at one pixel cancel each other, and their neighbours are joined. */
function runsBetween(sorted: Uint32Array): Uint32Array {
  const counts: number[] = [sorted[0]!];
  for (let j = 1; j < sorted.length; j++) {
    const run = sorted[j]! - sorted[j - 1]!;
    if (run > 0) counts.push(run);
    else if (++j < sorted.length) counts[counts.length - 1]! += sorted[j]! - sorted[j - 1]!;
  }
  return Uint32Array.from(counts);
}
