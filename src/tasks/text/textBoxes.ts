import { connectedComponents, type Components } from '../../geometry/components.js';
import { minAreaRect } from '../../geometry/minAreaRect.js';
import type { Polygon } from '../../geometry/polygon.js';
import { curveOf, type Runs } from './textPolygon.js';

/** Region and affinity scores: data is [height, width, 2]. */
export interface Maps {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

export interface TextThresholds {
  /** Least value of the highest region score in a word. */
  readonly text: number;
  /** Region score above which a cell is text. */
  readonly lowText: number;
  /** Affinity score above which a cell joins its neighbours. */
  readonly link: number;
  /** Whether curved words get polygons that follow them, instead of quads. */
  readonly polygons?: boolean;
}

export interface TextBox {
  /** x1, y1, …, in cells of the maps: four corners, clockwise from the one with the least x + y, or more along a curved
   *  word. */
  readonly outline: Polygon;
  /** Mean region score of the text cells of the word, 0…1. */
  readonly score: number;
}

/** Regions with fewer cells are dropped. */
export const LEAST_AREA = 10;
/** A rectangle whose sides differ by a smaller share than this is taken for a single character, whose direction is
 *  unknown, and set upright. */
const SQUARE = 0.1;

/** Words in score maps, by the rules of CRAFT's authors (github.com/clovaai/CRAFT-pytorch, craft_utils.py). Cells that
 *  are text or link form 4-connected regions; small and faint regions are dropped. Of the others the cells that are
 *  link alone are removed and the rest is dilated by a square. The rectangle of least area around the result is the
 *  word. */
export function textBoxes(maps: Maps, thresholds: TextThresholds): TextBox[] {
  const { width, height, data } = maps;
  // The original compares in single precision: a score of 0.4f is not above 0.4f.
  const [lowText, link] = [Math.fround(thresholds.lowText), Math.fround(thresholds.link)];
  const least = Math.fround(thresholds.text);
  const mask = new Uint8Array(width * height); // 1 text, 2 link, 3 both
  for (let cell = 0; cell < mask.length; cell++) {
    mask[cell] = (data[2 * cell]! > lowText ? 1 : 0) + (data[2 * cell + 1]! > link ? 2 : 0);
  }
  const components = connectedComponents(mask, width, height);
  return components.regions.flatMap((region, i) => {
    if (region.area < LEAST_AREA) return [];
    const { runs, peak, score } = textRuns(maps, mask, components, i);
    if (peak < least) return [];
    const [columns, rows] = [region.right - region.left + 1, region.bottom - region.top + 1];
    const growth = Math.floor(2 * Math.sqrt((region.area * Math.min(columns, rows)) / (columns * rows)));
    const grown = dilate(runs, growth, width, height);
    const box = startAtTop(upright(minAreaRect(cornersOf(grown))));
    const outline = (thresholds.polygons && curveOf(runs, box)) || box;
    return [{ outline, score: Math.min(1, Math.max(0, score)) }];
  });
}

/** The text cells of a region, the largest region score in it, and the mean region score of its text cells. */
function textRuns({ data, width }: Maps, mask: Uint8Array, { labels, regions }: Components, i: number) {
  const { left, right, top, bottom } = regions[i]!;
  const runs: number[] = [];
  let [peak, sum, count] = [-Infinity, 0, 0];
  for (let y = top; y <= bottom; y++) {
    let [first, last] = [-1, -1];
    for (let cell = y * width + left, end = y * width + right; cell <= end; cell++) {
      if (labels[cell] !== i + 1) continue;
      const value = data[2 * cell]!;
      if (value > peak) peak = value;
      if ((mask[cell]! & 1) === 0) continue;
      const x = cell - y * width;
      if (first >= 0 && x > last + 1) {
        runs.push(y, first, last);
        first = -1;
      }
      if (first < 0) first = x;
      last = x;
      sum += value;
      count++;
    }
    if (first >= 0) runs.push(y, first, last);
  }
  return { runs, peak, score: count === 0 ? 0 : sum / count };
}

/** First and last cell of each row after a dilation by a square of 1 + `growth` cells, limited to the map. A square
 *  with an even side reaches one cell further to the right and down than to the left and up. */
function dilate(runs: Runs, growth: number, width: number, height: number): number[] {
  const after = Math.floor((growth + 1) / 2);
  const before = growth - after;
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (let i = 0; i < runs.length; i += 3) {
    const [y, x1, x2] = [runs[i]!, Math.max(0, runs[i + 1]! - before), Math.min(width - 1, runs[i + 2]! + after)];
    for (let row = Math.max(0, y - before); row <= Math.min(height - 1, y + after); row++) {
      first.set(row, Math.min(first.get(row) ?? x1, x1));
      last.set(row, Math.max(last.get(row) ?? x2, x2));
    }
  }
  return [...first.keys()].sort((a, b) => a - b).flatMap((row) => [row, first.get(row)!, last.get(row)!]);
}

function cornersOf(runs: Runs): number[] {
  const points: number[] = [];
  for (let i = 0; i < runs.length; i += 3) points.push(runs[i + 1]!, runs[i]!, runs[i + 2]!, runs[i]!);
  return points;
}

function upright(box: Polygon): Polygon {
  const [ax, ay, bx, by, cx, cy] = box as unknown as [number, number, number, number, number, number];
  const [w, h] = [Math.hypot(bx - ax, by - ay), Math.hypot(cx - bx, cy - by)];
  if (Math.abs(1 - Math.max(w, h) / (Math.min(w, h) + 1e-5)) > SQUARE) return box;
  const xs = box.filter((_, i) => i % 2 === 0);
  const ys = box.filter((_, i) => i % 2 === 1);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return Float64Array.of(left, top, right, top, right, bottom, left, bottom);
}

function startAtTop(box: Polygon): Polygon {
  let start = 0;
  for (let i = 2; i < box.length; i += 2) if (box[i]! + box[i + 1]! < box[start]! + box[start + 1]!) start = i;
  return box.map((_, i) => box[(i + start) % box.length]!);
}
