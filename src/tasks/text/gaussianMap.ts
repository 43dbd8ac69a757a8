import type { TextWord } from '../../data/sample.js';
import { inverse, squareToQuad, type Homography } from '../../geometry/homography.js';

/** The targets of a text detector for one image, each [rows, columns] at half the resolution of the image. */
export interface TextTargets {
  /** 1 in the middle of a character. */
  readonly region: Float32Array;
  /** 1 in the middle between two neighbouring characters of a word. */
  readonly affinity: Float32Array;
  /** Weight of each cell in the loss: 0 where nothing is known, the confidence of a word on that word, else 1. */
  readonly weight: Float32Array;
}

/** Half a side of a quad, in standard deviations of the Gaussian on it. Of the values tried, 2 is the one with which
 *  the published post-processing recovers words of 10 to 200 pixels from the targets best
 *  (test/tasks/text/gaussianMap.test.ts checks this). */
const SIGMAS = 2;
/** The Gaussian is drawn up to this many half sides from the middle; farther out it is below 0.012. */
const REACH = 1.5;
/** Table of exp(−½ (SIGMAS·r)²) by r², which saves the exponentials. */
const STEPS = 1024;
const FALL = Float32Array.from({ length: STEPS + 1 }, (_, i) =>
  Math.exp(-0.5 * SIGMAS ** 2 * (i / STEPS) * REACH ** 2),
);

/** Render the score maps that CRAFT learns from the words of an image, in pixels of the image (Baek et al. 2019,
 *  arXiv:1904.01941, section 3.2): a Gaussian in perspective on each character and on each gap between two characters.
 *  Where they overlap, the larger value counts. Cells inside don't-care words, and inside words whose characters are
 *  unknown, have the weight 0; cells inside other words have the word's `confidence`. */
export function gaussianMaps(words: readonly TextWord[], columns: number, rows: number): TextTargets {
  const size = columns * rows;
  const region = new Float32Array(size);
  const affinity = new Float32Array(size);
  const weight = new Float32Array(size).fill(1);
  const map = { columns, rows };
  for (const { outline, characters, dontCare, confidence = 1 } of words) {
    const known = !dontCare && characters;
    if (known && confidence === 1) continue;
    fillPolygon(weight, map, outline, known ? confidence : 0);
  }
  for (const { characters, dontCare } of words) {
    if (dontCare || !characters) continue;
    const quads = characters.map((quad) => quad.map((value) => value / 2));
    for (const quad of quads) stamp(region, map, quad);
    for (let i = 1; i < quads.length; i++) stamp(affinity, map, affinityQuad(quads[i - 1]!, quads[i]!));
  }
  return { region, affinity, weight };
}

type Quad = ArrayLike<number>;
interface Grid {
  readonly columns: number;
  readonly rows: number;
}

/** The quad between two neighbouring characters. Its corners are the centroids of the triangles that the diagonals of
 *  the characters cut off above and below, or, for characters one below the other, to the left and right. Section 3.2.1
 *  of the paper, which describes the first case alone. */
export function affinityQuad(a: Quad, b: Quad): number[] {
  const [ax, ay] = middle(a);
  const [bx, by] = middle(b);
  // Distance between the characters along the axes of the first one.
  const across = Math.abs((bx - ax) * (a[2]! - a[0]!) + (by - ay) * (a[3]! - a[1]!)) / side(a, 0, 2);
  const down = Math.abs((bx - ax) * (a[6]! - a[0]!) + (by - ay) * (a[7]! - a[1]!)) / side(a, 0, 6);
  const triangle = (quad: Quad, from: number, to: number): [number, number] => {
    const [mx, my] = middle(quad);
    return [(mx + quad[from]! + quad[to]!) / 3, (my + quad[from + 1]! + quad[to + 1]!) / 3];
  };
  if (across >= down) {
    return [...triangle(a, 0, 2), ...triangle(b, 0, 2), ...triangle(b, 4, 6), ...triangle(a, 4, 6)];
  }
  return [...triangle(a, 0, 6), ...triangle(a, 2, 4), ...triangle(b, 2, 4), ...triangle(b, 0, 6)];
}

const middle = (quad: Quad): [number, number] => [
  (quad[0]! + quad[2]! + quad[4]! + quad[6]!) / 4,
  (quad[1]! + quad[3]! + quad[5]! + quad[7]!) / 4,
];
const side = (quad: Quad, i: number, j: number): number =>
  Math.max(1e-6, Math.hypot(quad[j]! - quad[i]!, quad[j + 1]! - quad[i + 1]!));

/** Draws the Gaussian of a quad (in cells) wherever it is larger than the value in the map. A quad without area is left
 *  out. */
function stamp(map: Float32Array, { columns, rows }: Grid, quad: Quad): void {
  const inverse = toSquare(quad);
  if (!inverse) return;
  const [a, b, c, d, e, f, g, h, i] = inverse;
  const [mx, my] = middle(quad);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let k = 0; k < 8; k += 2) {
    const [x, y] = [mx + (quad[k]! - mx) * REACH, my + (quad[k + 1]! - my) * REACH];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const [x1, x2] = [Math.max(0, Math.floor(left)), Math.min(columns - 1, Math.ceil(right))];
  const [y1, y2] = [Math.max(0, Math.floor(top)), Math.min(rows - 1, Math.ceil(bottom))];
  const limit = REACH * REACH;
  for (let y = y1; y <= y2; y++) {
    const py = y + 0.5; // the middle of a cell
    for (let x = x1; x <= x2; x++) {
      const px = x + 0.5;
      const depth = g * px + h * py + i;
      if (depth <= 1e-9) continue; // beyond the horizon of the quad's plane
      const u = (a * px + b * py + c) / depth;
      const v = (d * px + e * py + f) / depth;
      const square = u * u + v * v;
      if (square >= limit) continue;
      const value = FALL[Math.floor((square / limit) * STEPS)]!;
      const at = y * columns + x;
      if (value > map[at]!) map[at] = value;
    }
  }
}

/** The homography that maps the corners of a quad to (±1, ±1), with a positive depth on the quad. */
function toSquare(quad: Quad): Homography | undefined {
  const forward = squareToQuad(quad);
  if (!forward) return undefined;
  const [a, b, c, d, e, f, g, h, i] = inverse(forward);
  const [mx, my] = middle(quad);
  const sign = Math.sign(g * mx + h * my + i);
  if (sign === 0) return undefined;
  const s = (value: number, depth: number): number => sign * (2 * value - depth);
  return [s(a, g), s(b, h), s(c, i), s(d, g), s(e, h), s(f, i), sign * g, sign * h, sign * i];
}

/** Lowers to `value` the cells whose middle is inside a polygon (in pixels of the image, even-odd rule). */
function fillPolygon(map: Float32Array, { columns, rows }: Grid, polygon: ArrayLike<number>, value: number): void {
  const n = polygon.length;
  let [top, bottom] = [Infinity, -Infinity];
  for (let i = 1; i < n; i += 2) {
    top = Math.min(top, polygon[i]! / 2);
    bottom = Math.max(bottom, polygon[i]! / 2);
  }
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(rows, Math.ceil(bottom)); row++) {
    const y = 2 * row + 1;
    const crossings: number[] = [];
    for (let i = 0; i < n; i += 2) {
      const [xa, ya, xb, yb] = [polygon[i]!, polygon[i + 1]!, polygon[(i + 2) % n]!, polygon[(i + 3) % n]!];
      if (ya <= y !== yb <= y) crossings.push((xa + ((y - ya) / (yb - ya)) * (xb - xa)) / 2);
    }
    crossings.sort((one, other) => one - other);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i]! - 0.5));
      const to = Math.min(columns - 1, Math.floor(crossings[i + 1]! - 0.5));
      for (let x = from; x <= to; x++) map[row * columns + x] = Math.min(map[row * columns + x]!, value);
    }
  }
}
