import { rowOf } from '../../geometry/box.js';
import type { RandomStream } from '../../random.js';
import type { AnchorLevel, AnchorShapes } from './anchors.js';
import type { PlacedBoxes } from './recallCeiling.js';

type Shape = readonly [width: number, height: number];

/** IoU of two boxes with a common centre. */
export function shapeIou([w, h]: Shape, [v, g]: Shape): number {
  const common = Math.min(w, v) * Math.min(h, g);
  return common / (w * h + v * g - common);
}

/** Most rounds of k-means. */
const MOST_ROUNDS = 30;
/** Number of random starts; the best result is kept. */
const STARTS = 3;

/** k-means over the shapes of boxes with the distance 1 − IoU, so that large boxes do not outweigh small ones. Redmon &
 *  Farhadi 2017 (arXiv:1612.08242), section 2; started as k-means++ (Arthur & Vassilvitskii 2007). Returns k shapes,
 *  smallest first, or fewer if there are fewer different ones. A round can increase this distance, so the round with
 *  the highest mean IoU is kept. */
export function clusterShapes(shapes: readonly Shape[], k: number, random: RandomStream): readonly Shape[] {
  let best: { readonly centres: readonly Shape[]; readonly iou: number } = { centres: [], iou: -1 };
  for (let start = 0; start < STARTS && shapes.length > 0; start++) {
    let centres = spreadShapes(shapes, k, random);
    for (let round = 0, before = ''; round < MOST_ROUNDS; round++) {
      const nearest = shapes.map((shape) => nearestShape(shape, centres));
      const iou = nearest.reduce((sum, { iou }) => sum + iou, 0) / shapes.length;
      if (iou > best.iou) best = { centres, iou };
      const members = nearest.map(({ index }) => index).join();
      if (members === before) break;
      before = members;
      centres = centres.map((centre, c) => meanShape(shapes.filter((_, i) => nearest[i]!.index === c)) ?? centre);
    }
  }
  return best.centres.toSorted((a, b) => a[0] * a[1] - b[0] * b[1]);
}

function nearestShape(shape: Shape, centres: readonly Shape[]): { readonly index: number; readonly iou: number } {
  let [index, best] = [0, -1];
  for (const [i, centre] of centres.entries()) {
    const iou = shapeIou(shape, centre);
    if (iou > best) [index, best] = [i, iou];
  }
  return { index, iou: best };
}

/** Shapes that are far from each other: the probability of drawing a shape is proportional to its squared distance from
 *  those drawn before. */
function spreadShapes(shapes: readonly Shape[], k: number, random: RandomStream): readonly Shape[] {
  const chosen = [shapes[random.integer(0, shapes.length)]!];
  const distances = shapes.map((shape) => 1 - shapeIou(shape, chosen[0]!));
  while (chosen.length < k) {
    const total = distances.reduce((sum, distance) => sum + distance ** 2, 0);
    if (total < 1e-12) break; // every shape is chosen
    let left = random.next() * total;
    const next = shapes[distances.findIndex((distance) => (left -= distance ** 2) < 0)] ?? shapes[0]!;
    chosen.push(next);
    for (const [i, shape] of shapes.entries()) distances[i] = Math.min(distances[i]!, 1 - shapeIou(shape, next));
  }
  return chosen;
}

function meanShape(shapes: readonly Shape[]): Shape | undefined {
  if (shapes.length === 0) return undefined;
  const sum = shapes.reduce(([w, h], [v, g]) => [w + v, h + g], [0, 0]);
  return [sum[0] / shapes.length, sum[1] / shapes.length];
}

/** Boxes that are clustered, drawn at random from all. More would only take longer. */
const MOST_BOXES = 4000;

export interface FitOptions {
  /** Most anchors of each level, finest first; a level with 0 gets none. */
  readonly counts: readonly number[];
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  /** Least IoU of a box with an anchor of the same shape, wherever in the image the box lies. It decides which levels
   *  are fine enough for the box. */
  readonly placement: number;
}

/** Anchors that fit the boxes, as shares of the input, level by level. Each box belongs to the coarsest level that is
 *  fine enough for it, and the boxes of each level are clustered. A level without boxes gets no anchors. */
export function fitAnchors(
  levels: readonly AnchorLevel[],
  { boxes }: Pick<PlacedBoxes, 'boxes'>,
  { counts, size: [height, width], placement }: FitOptions,
  random: RandomStream,
): AnchorShapes {
  const rows = random.shuffle(Array.from({ length: boxes.length / 4 }, (_, row) => row)).slice(0, MOST_BOXES);
  const ofLevel = levels.map((): Shape[] => []);
  const finest = counts.findIndex((count) => count > 0);
  for (const row of rows) {
    const [x1, y1, x2, y2] = rowOf(boxes, row);
    const shape = [x2 - x1, y2 - y1] as const;
    const fine = levels.findLastIndex(({ step }, k) => counts[k]! > 0 && worstIou(shape, step) >= placement);
    ofLevel[Math.max(fine, finest)]?.push(shape);
  }
  return ofLevel.map((shapes, k) =>
    clusterShapes(shapes, counts[k]!, random).map(([w, h]): Shape => [share(w / width), share(h / height)]),
  );
}

/** IoU of a box with an anchor of the same shape whose centre is half a step away on both axes. */
function worstIou([w, h]: Shape, [down, right]: readonly [number, number]): number {
  const common = Math.max(w - right / 2, 0) * Math.max(h - down / 2, 0);
  return common / (2 * w * h - common);
}

/** Rounds to four places: a ten-thousandth is less than half a pixel of the largest input. */
const share = (value: number): number => Math.max(Number(value.toFixed(4)), 0.0001);
