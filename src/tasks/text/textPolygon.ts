import type { Polygon } from '../../geometry/polygon.js';

/** Cells of a word: for each run of neighbouring cells its row, first and last column, as flat triples, row after
 *  row. */
export type Runs = readonly number[];

/** Number of control points above the word, and below it, without those of the ends. This constant and the next three
 *  have the values of the paper's authors (craft_utils.py). */
const PIVOTS = 5;
/** Height of the outline, as a multiple of the height of the text cells. */
const EXPAND = 1.45;
/** Distances that an end of the outline is tried to be moved outwards, in heights of the outline. */
const REACHES = [0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9] as const;
/** A word is too short for its height if a segment is narrower than this share of the height. */
const NARROW = 0.25;
/** A word is curved if its columns leave at least this share of its bounding box empty; a straight word keeps its
 *  quad. */
const CURVED = 0.18;

type Point = readonly [number, number];

/** An outline that follows a curved word: Baek et al. 2019 (arXiv:1904.01941), fig. 8. The word is cut into segments
 *  along the longer side of its rectangle. The tallest columns of the segments, which are the middles of characters,
 *  are turned at right angles to the centre line and get the same length; their ends are control points. The outermost
 *  are moved outwards until they leave the text. Undefined for a straight word, and for one that is too short. runs:
 *  the cells of the word; box: its rectangle. Returns the points above from start to end, and those below back. */
export function curveOf(runs: Runs, box: Polygon): Polygon | undefined {
  const frame = frameOf(box);
  const { top, bottom } = columnsOf(runs, frame);
  if (!isCurved(top, bottom)) return undefined;
  const [from, to] = [top.findIndex(Number.isFinite), top.findLastIndex(Number.isFinite)];
  const segment = (to - from + 1) / (2 * PIVOTS + 1);
  const sections = Array.from({ length: 2 * PIVOTS + 1 }, (_, k) => {
    const columns: number[] = [];
    for (let x = Math.round(from + k * segment); x < Math.round(from + (k + 1) * segment); x++)
      if (Number.isFinite(top[x]!)) columns.push(x);
    return columns;
  });
  if (sections.some((columns) => columns.length === 0)) return undefined;
  const heightAt = (x: number): number => bottom[x]! - top[x]! + 1;
  const centreAt = (x: number): Point => [x, (top[x]! + bottom[x]!) / 2];
  const tallest = sections.map((columns) => columns.reduce((best, x) => (heightAt(x) > heightAt(best) ? x : best)));
  const pivots = tallest.filter((_, k) => k % 2 === 1);
  const heights = pivots.map(heightAt).sort((a, b) => a - b);
  if (segment < NARROW * (heights.reduce((sum, height) => sum + height, 0) / PIVOTS)) return undefined;
  const half = (heights[PIVOTS >> 1]! * EXPAND) / 2;

  const centres = sections.map((columns): Point => {
    const mean = (of: (x: number) => number): number => columns.reduce((sum, x) => sum + of(x), 0) / columns.length;
    return [mean((x) => x), mean((x) => centreAt(x)[1])];
  });
  const lines = pivots.map((x, i) => across(centreAt(x), direction(centres[2 * i]!, centres[2 * i + 2]!), half));
  const has = cellsOf(runs, frame);
  const first = endOf(lines[0]!, direction(centreAt(pivots[1]!), centreAt(pivots[0]!)), half, has);
  const last = endOf(lines.at(-1)!, direction(centreAt(pivots.at(-2)!), centreAt(pivots.at(-1)!)), half, has);
  const all = [first, ...lines, last];
  const outline = [...all.map(([above]) => above), ...all.map(([, below]) => below).reverse()];
  return Float64Array.from(outline.flatMap(([x, y]) => frame.back(x, y)));
}

interface Frame {
  readonly length: number;
  /** Converts cells to positions along and across the longer side of the rectangle, and back. */
  to(x: number, y: number): Point;
  back(along: number, across: number): Point;
}

function frameOf(box: Polygon): Frame {
  const [ax, ay, bx, by, cx, cy, dx, dy] = box as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wide = Math.hypot(bx - ax, by - ay) >= Math.hypot(cx - bx, cy - by);
  const [ox, oy, ex, ey, fx, fy] = wide ? [ax, ay, bx, by, dx, dy] : [bx, by, cx, cy, ax, ay];
  const [length, depth] = [Math.hypot(ex - ox, ey - oy), Math.max(1e-6, Math.hypot(fx - ox, fy - oy))];
  const [ux, uy] = [(ex - ox) / Math.max(1e-6, length), (ey - oy) / Math.max(1e-6, length)];
  const [vx, vy] = [(fx - ox) / depth, (fy - oy) / depth];
  return {
    length,
    to: (x, y) => [(x - ox) * ux + (y - oy) * uy, (x - ox) * vx + (y - oy) * vy],
    back: (along, deep) => [ox + along * ux + deep * vx, oy + along * uy + deep * vy],
  };
}

/** The first and the last cell of each column of the frame. */
function columnsOf(runs: Runs, frame: Frame) {
  const count = Math.ceil(frame.length) + 1;
  const [top, bottom] = [new Float64Array(count).fill(Infinity), new Float64Array(count).fill(-Infinity)];
  for (let i = 0; i < runs.length; i += 3) {
    for (let x = runs[i + 1]!; x <= runs[i + 2]!; x++) {
      const [along, deep] = frame.to(x, runs[i]!);
      const column = Math.min(count - 1, Math.max(0, Math.round(along)));
      top[column] = Math.min(top[column]!, deep);
      bottom[column] = Math.max(bottom[column]!, deep);
    }
  }
  return { top, bottom };
}

/** Tells whether the word has a cell at a place of the frame. */
function cellsOf(runs: Runs, frame: Frame): (place: Point) => boolean {
  const key = (along: number, deep: number): number => Math.round(deep) * 65536 + Math.round(along);
  const cells = new Set<number>();
  for (let i = 0; i < runs.length; i += 3)
    for (let x = runs[i + 1]!; x <= runs[i + 2]!; x++) cells.add(key(...frame.to(x, runs[i]!)));
  return (place) => cells.has(key(...place));
}

function isCurved(top: Float64Array, bottom: Float64Array): boolean {
  const depth = Math.max(...bottom) - Math.min(...top) + 1;
  const filled = top.map((high, x) => (Number.isFinite(high) ? bottom[x]! - high + 1 : 0));
  const columns = top.filter(Number.isFinite).length;
  return 1 - filled.reduce((sum, height) => sum + height, 0) / (columns * depth) >= CURVED;
}

/** Unit vector from one point to another. */
function direction([ax, ay]: Point, [bx, by]: Point): Point {
  const length = Math.max(1e-6, Math.hypot(bx - ax, by - ay));
  return [(bx - ax) / length, (by - ay) / length];
}

type Line = readonly [above: Point, below: Point];

const across = ([x, y]: Point, [ux, uy]: Point, half: number): Line => [
  [x + uy * half, y - ux * half],
  [x - uy * half, y + ux * half],
];

/** The line, moved outwards until it meets no cell of the word. */
function endOf(line: Line, [ux, uy]: Point, half: number, has: (place: Point) => boolean): Line {
  const moved = (reach: number): Line =>
    line.map(([x, y]): Point => [x + 2 * half * reach * ux, y + 2 * half * reach * uy]) as unknown as Line;
  const isFree = ([[ax, ay], [bx, by]]: Line): boolean => {
    const steps = Math.ceil(2 * half);
    for (let i = 0; i <= steps; i++)
      if (has([ax + ((bx - ax) * i) / steps, ay + ((by - ay) * i) / steps])) return false;
    return true;
  };
  return moved(REACHES.find((reach) => isFree(moved(reach))) ?? REACHES.at(-1)!);
}
