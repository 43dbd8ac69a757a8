import { connectedComponents, type Components } from '../../geometry/components.js';
import { minAreaRect } from '../../geometry/minAreaRect.js';
import type { Polygon } from '../../geometry/polygon.js';
import { curveOf, type Runs } from './textPolygon.js';

/** Region and affinity scores, [height, width, 2]. */
export interface Maps {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

export interface TextThresholds {
  /** Least region score somewhere in a word. */
  readonly text: number;
  /** Region score above which a cell is text. */
  readonly lowText: number;
  /** Affinity score above which a cell joins its neighbours. */
  readonly link: number;
  /** Polygons that follow curved words, instead of quads. */
  readonly polygons?: boolean;
}

export interface TextBox {
  /** x1, y1, …, in cells of the maps: four corners, clockwise, the one with the least x + y first; more along a curved word. */
  readonly outline: Polygon;
  /** Mean region score of the word's text cells, 0…1. */
  readonly score: number;
}

/** Regions of fewer cells are dropped. */
const LEAST_AREA = 10;
/** A rectangle whose sides differ by less than this part is a character, whose direction cannot be told: it is put upright. */
const SQUARE = 0.1;

/** Words in score maps, by the rules of CRAFT's authors (github.com/clovaai/CRAFT-pytorch, craft_utils.py): cells that are text or link form
 *  4-connected regions; small and faint ones go; of the rest the cells that are link alone are removed, what is left is dilated by a
 *  square, and the rectangle of least area around it is the word. */
export function textBoxes(maps: Maps, thresholds: TextThresholds): TextBox[] {
  const { width, height, data } = maps;
  // As in the original all is compared in single precision: a score of 0.4f is not above 0.4f.
  const [lowText, link, least] = [thresholds.lowText, thresholds.link, thresholds.text].map(Math.fround) as [number, number, number]; // prettier-ignore
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

/** The text cells of a region, with their largest and mean region score. */
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

/** Each row's extent after a dilation by a square of 1 + `growth` cells, which reaches further to the right and down where its side is
 *  even; cut at the border. */
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
