import type { Polygon } from '../../geometry/polygon.js';
import type { Runs } from './textBoxes.js';

/** Strips across a word, of which each gives a point above and one below. */
const STRIPS = 6;
/** A word is curved if the strips leave at least this part of its rectangle's height unused. */
const CURVED = 0.18;

/** An outline that follows a curved word: its rectangle is cut into strips along the longer side, and the cells of each strip say how
 *  high and how low it reaches. Undefined for a straight word, which fills its rectangle, and for one too small to tell. (The authors'
 *  rule, craft_utils.getPoly_core, traces characters instead; both give points above and below in turn.) runs: the word's cells;
 *  `growth`: how many cells the rectangle is larger than those on every side. */
export function curveOf(runs: Runs, growth: number, box: Polygon): Polygon | undefined {
  const [ax, ay, bx, by, cx, cy, dx, dy] = box as unknown as [number, number, number, number, number, number, number, number]; // prettier-ignore
  const wide = Math.hypot(bx - ax, by - ay) >= Math.hypot(cx - bx, cy - by);
  // Along the longer side from `o`, `u` its direction; `v` across it.
  const [ox, oy, ex, ey, fx, fy] = wide ? [ax, ay, bx, by, dx, dy] : [bx, by, cx, cy, ax, ay];
  const [length, depth] = [Math.hypot(ex - ox, ey - oy), Math.hypot(fx - ox, fy - oy)];
  if (length < 2 * STRIPS || depth < 4 || length < 1.5 * depth) return undefined;
  const [ux, uy] = [(ex - ox) / length, (ey - oy) / length];
  const [vx, vy] = [(fx - ox) / depth, (fy - oy) / depth];
  const high = new Float64Array(STRIPS).fill(Infinity);
  const low = new Float64Array(STRIPS).fill(-Infinity);
  for (let i = 0; i < runs.length; i += 3) {
    const y = runs[i]! - oy;
    for (let x = runs[i + 1]! - ox, last = runs[i + 2]! - ox; x <= last; x++) {
      const along = x * ux + y * uy;
      const across = x * vx + y * vy;
      const strip = Math.min(STRIPS - 1, Math.max(0, Math.floor((along / length) * STRIPS)));
      if (across < high[strip]!) high[strip] = across;
      if (across > low[strip]!) low[strip] = across;
    }
  }
  if (!high.every(Number.isFinite)) return undefined;
  for (let strip = 0; strip < STRIPS; strip++) {
    high[strip] = high[strip]! - growth;
    low[strip] = low[strip]! + growth;
  }
  const unused = high.reduce((sum, top, i) => sum + depth - (low[i]! - top), 0) / (STRIPS * depth);
  if (unused < CURVED) return undefined;
  const at = (along: number, across: number): [number, number] => [
    ox + along * ux + across * vx,
    oy + along * uy + across * vy,
  ];
  const edge = (bounds: Float64Array, inset: (a: number, b: number) => number): [number, number][] =>
    Array.from({ length: STRIPS + 1 }, (_, i) => {
      const [before, after] = [bounds[Math.max(0, i - 1)]!, bounds[Math.min(STRIPS - 1, i)]!];
      return at((i / STRIPS) * length, inset(before, after));
    });
  const mean = (a: number, b: number): number => (a + b) / 2;
  return Float64Array.from([...edge(high, mean), ...edge(low, mean).reverse()].flat());
}
