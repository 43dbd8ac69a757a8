import { CocoError } from './errors.js';

/** A mask as run lengths in column-major order: zeros first, then ones, alternately. This package works with this form. */
export interface Runs {
  readonly height: number;
  readonly width: number;
  readonly counts: Uint32Array;
}

/** Run lengths of column-major pixels [width · height], 0 or one other value. maskApi.c, rleEncode.
 *  Throws E_COCO_MASK if the data do not fit the size or have two different non-zero values (upstream then silently
 *  encodes another mask). */
export function encodeRuns(data: Uint8Array, height: number, width: number): Runs {
  if (data.length !== height * width) {
    throw new CocoError({ code: 'E_COCO_MASK', message: `${data.length} pixels do not make ${height} × ${width}` });
  }
  const counts: number[] = [];
  let previous = 0;
  let start = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value === previous) continue;
    if (value !== 0 && previous !== 0) {
      throw new CocoError({
        code: 'E_COCO_MASK',
        message: `pixel ${i} is ${value}, its neighbour ${previous}: a mask holds 0 and one other value`,
      });
    }
    counts.push(i - start);
    start = i;
    previous = value;
  }
  counts.push(data.length - start);
  return { height, width, counts: Uint32Array.from(counts) };
}

/** Maximum number of pixels: maskApi counts them in 32 bits, and typed arrays are limited, too. */
export const MAX_PIXELS = 0x7fffffff;

/** Column-major pixels, 0 and 1. maskApi.c, rleDecode.
 *  Throws E_COCO_RLE if the runs do not add up to the size, or the size is too large. */
export function decodeRuns({ height, width, counts }: Runs): Uint8Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total !== height * width) {
    throw new CocoError({ code: 'E_COCO_RLE', message: `runs of ${total} pixels do not make ${height} × ${width}` });
  }
  if (total > MAX_PIXELS)
    throw new CocoError({ code: 'E_COCO_RLE', message: `${height} × ${width} pixels are too many` });
  const data = new Uint8Array(total);
  let end = 0;
  for (let i = 0; i < counts.length; i++) {
    const start = end;
    end += counts[i]!;
    if (i & 1) data.fill(1, start, end);
  }
  return data;
}

/** Number of pixels that are one. maskApi.c, rleArea. */
export function runsArea({ counts }: Runs): number {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i]!;
  return area;
}

/** Union (or intersection) of masks of one size. maskApi.c, rleMerge: its loop is copied step by step, since its
 *  treatment of empty runs determines the resulting string.
 *  Throws E_COCO_MASK if sizes differ (upstream returns an empty mask of size [0, 0]). */
export function mergeRuns(masks: readonly Runs[], intersect = false): Runs {
  const [first, ...rest] = masks;
  if (!first) return { height: 0, width: 0, counts: new Uint32Array(0) };
  const { height, width } = first;
  return rest.reduce((merged, next) => {
    if (next.height !== height || next.width !== width) {
      throw new CocoError({
        code: 'E_COCO_MASK',
        message: `cannot merge masks of ${height} × ${width} and ${next.height} × ${next.width}`,
      });
    }
    return { height, width, counts: mergePair(merged.counts, next.counts, intersect) };
  }, first);
}

function mergePair(a: Uint32Array, b: Uint32Array, intersect: boolean): Uint32Array {
  const out = new Uint32Array(a.length + b.length + 1);
  let length = 0;
  let leftA = a[0] ?? 0;
  let leftB = b[0] ?? 0;
  let nextA = 1;
  let nextB = 1;
  let inA = false;
  let inB = false;
  let inside = false;
  let run = 0;
  let left: number;
  do {
    const step = Math.min(leftA, leftB);
    run += step;
    leftA -= step;
    if (leftA === 0 && nextA < a.length) {
      leftA = a[nextA++]!;
      inA = !inA;
    }
    leftB -= step;
    if (leftB === 0 && nextB < b.length) {
      leftB = b[nextB++]!;
      inB = !inB;
    }
    left = leftA + leftB;
    const before: boolean = inside;
    inside = intersect ? inA && inB : inA || inB;
    if (inside !== before || left === 0) {
      out[length++] = run;
      run = 0;
    }
  } while (left > 0);
  return out.slice(0, length);
}

/** Writes the smallest box [x, y, width, height] around the ones at `offset`. maskApi.c, rleToBbox. */
export function runsToBbox({ height, width, counts }: Runs, out: Float64Array, offset: number): void {
  const pairs = counts.length & ~1;
  if (pairs === 0) {
    out.fill(0, offset, offset + 4);
    return;
  }
  let xMin = width;
  let yMin = height;
  let xMax = 0;
  let yMax = 0;
  let end = 0;
  for (let i = 0; i < pairs; i++) {
    const start = end;
    end += counts[i]!;
    if (i % 2 === 0 || end === start) continue;
    const yStart = start % height;
    const yEnd = (end - 1) % height;
    const xStart = (start - yStart) / height;
    const xEnd = (end - 1 - yEnd) / height;
    xMin = Math.min(xMin, xStart);
    xMax = Math.max(xMax, xEnd);
    yMin = Math.min(yMin, xStart < xEnd ? 0 : yStart); // a run across the end of a column touches both borders
    yMax = Math.max(yMax, xStart < xEnd ? height - 1 : yEnd);
  }
  out[offset] = xMin;
  out[offset + 1] = yMin;
  out[offset + 2] = (xMax - xMin + 1) >>> 0; // unsigned, as in upstream, where a mask that has only empty runs wraps around
  out[offset + 3] = (yMax - yMin + 1) >>> 0;
}

/** Intersection over union; over the detection's own area if the ground truth is a crowd. maskApi.c, rleIou, inner
 *  loop. */
export function runsIou(detection: Runs, truth: Runs, crowd: boolean): number {
  const a = detection.counts;
  const b = truth.counts;
  let leftA = a[0] ?? 0;
  let leftB = b[0] ?? 0;
  let nextA = 1;
  let nextB = 1;
  let inA = false;
  let inB = false;
  let intersection = 0;
  let union = 0;
  let left: number;
  do {
    const step = leftA < leftB ? leftA : leftB;
    if (inA || inB) {
      union += step;
      if (inA && inB) intersection += step;
    }
    leftA -= step;
    if (leftA === 0 && nextA < a.length) {
      leftA = a[nextA++]!;
      inA = !inA;
    }
    leftB -= step;
    if (leftB === 0 && nextB < b.length) {
      leftB = b[nextB++]!;
      inB = !inB;
    }
    left = leftA + leftB;
  } while (left > 0);
  if (intersection === 0) return 0;
  return intersection / (crowd ? runsArea(detection) : union);
}
