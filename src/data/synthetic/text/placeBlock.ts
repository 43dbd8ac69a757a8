import type { RandomStream } from '../../../random.js';
import type { Block, PlacedWord, Rect } from './layout.js';
import { bent, drawPose, posed, type Point, type Warp } from './warp.js';

/** Minimum distance of the text from the image's border, pixels. */
const MARGIN = 3;

export interface Placement {
  readonly warp: Warp;
  /** The plane without the bend, and the block's box on it: the board behind the text. */
  readonly ground: { readonly warp: Warp; readonly box: Rect };
  readonly quad: Point[];
}

/** Draws a pose inside the image that does not overlap other blocks; undefined if the drawn pose does not fit. */
export function placeBlock(
  random: RandomStream,
  block: Block,
  width: number,
  height: number,
  taken: readonly Point[][],
): Placement | undefined {
  const { box, size } = block;
  const reach = Math.hypot(box[2], box[3]);
  if (box[2] * 2 > width || box[3] * 2 > height) return undefined;
  const spread = (length: number): number => {
    const low = Math.min(reach, length / 2);
    return random.uniform(low * 0.6, length - low * 0.6);
  };
  const plane = posed(drawPose(random, [spread(width), spread(height)], box[2], box[3]));
  const curved = block.isLine && random.chance(0.25);
  const radius = ((box[2] * 2) / random.uniform(0.35, 2.4)) * (random.chance(0.7) ? 1 : -1);
  const warp = curved && Math.abs(radius) > box[3] * 3 ? bent(radius, plane) : plane;
  const rims = block.words.flatMap((word) =>
    outlineOf(word, warp === plane ? (x, y) => [x, y] : bent(radius, (x, y) => [x, y])),
  );
  const flat = boundsOf(rims);
  const pad = size * 0.25;
  const ground: Rect = [flat[0] - pad, flat[1] - pad, flat[2] + pad, flat[3] + pad];
  const quad = cornersOf(ground).map(([x, y]) => plane(x, y));
  const outside = quad.some(([x, y]) => x < MARGIN || y < MARGIN || x > width - MARGIN || y > height - MARGIN);
  if (outside || taken.some((other) => overlap(quad, other))) return undefined;
  return { warp, ground: { warp: plane, box: ground }, quad };
}

export const cornersOf = ([x1, y1, x2, y2]: Rect): Point[] => [
  [x1, y1],
  [x2, y1],
  [x2, y2],
  [x1, y2],
];

/** Whether two convex quads overlap: they do if no side of either separates them. */
function overlap(a: readonly Point[], b: readonly Point[]): boolean {
  const apart = (quad: readonly Point[], other: readonly Point[]): boolean =>
    quad.some(([x, y], i) => {
      const [nx, ny] = quad[(i + 1) % 4]!;
      return other.every(([px, py]) => (nx - x) * (py - y) - (ny - y) * (px - x) < 0);
    });
  return !apart(a, b) && !apart(b, a);
}

/** The outline of a word: points along the top and back along the bottom. A bent word has up to eight on each side. */
export function outlineOf({ box: [x1, y1, x2, y2] }: Pick<PlacedWord, 'box'>, warp: Warp): number[] {
  const straight = isStraight(x1, x2, warp);
  const steps = straight ? 1 : Math.min(7, Math.max(2, Math.ceil((x2 - x1) / (y2 - y1))));
  const top: number[] = [];
  const bottom: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const x = x1 + ((x2 - x1) * i) / steps;
    top.push(...warp(x, y1));
    bottom.unshift(...warp(x, y2));
  }
  return [...top, ...bottom];
}

/** Whether the warp keeps the line y = 0 straight, to a tenth of a pixel. */
function isStraight(x1: number, x2: number, warp: Warp): boolean {
  const [ax, ay] = warp(x1, 0);
  const [bx, by] = warp(x2, 0);
  const [mx, my] = warp((x1 + x2) / 2, 0);
  const away = (bx - ax) * (my - ay) - (by - ay) * (mx - ax);
  return Math.abs(away) < 0.1 * Math.hypot(bx - ax, by - ay);
}

function boundsOf(points: readonly number[]): Rect {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
