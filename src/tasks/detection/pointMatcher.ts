import type { Xyxy } from '../../geometry/box.js';
import { BACKGROUND, IGNORED } from './matcher.js';
import { distancesOf, type Points } from './points.js';

/** Distance to the farthest side, in strides, that a level learns: from the first on, below the second. */
const RANGE = [4, 8] as const;

export interface PointMatchOptions {
  /** A point learns a box if it is nearer to the box's centre than this, in strides, along both axes. */
  readonly radius: number;
}

/** Assigns boxes to points as torchvision's FCOS does (Tian et al. 2019, arXiv:1904.01355, section 3.2, with the centre sampling of
 *  arXiv:2006.09214): a point takes a box that it lies in, near enough to its centre, if the farthest side is between 4 and 8 strides away;
 *  the finest level has no lower limit, the coarsest no upper one. Of several boxes it takes the smallest.
 *  truth [N,4], pixels of the input; ignore [N] marks crowds and difficult objects, which match nothing: background points inside of one are
 *  IGNORED. Returns [P]: index of the box, BACKGROUND or IGNORED. */
export function matchPoints(
  points: Points,
  truth: Xyxy,
  ignore: readonly boolean[],
  { radius }: PointMatchOptions,
): Int32Array {
  const { levels } = points;
  const coarsest = levels.at(-1);
  const matches = new Int32Array(levels.length).fill(BACKGROUND);
  const areas = ignore.map((_, j) => (truth[j * 4 + 2]! - truth[j * 4]!) * (truth[j * 4 + 3]! - truth[j * 4 + 1]!));
  for (const [i, level] of levels.entries()) {
    let smallest = Infinity;
    for (const [j, ignored] of ignore.entries()) {
      const [left, top, right, bottom] = distancesOf(points, i, truth, j);
      if (!(Math.min(left, top, right, bottom) > 0)) continue;
      if (ignored) {
        if (matches[i] === BACKGROUND) matches[i] = IGNORED;
        continue;
      }
      const offCentre = Math.max(Math.abs(left - right), Math.abs(top - bottom)) / 2;
      const farthest = Math.max(left, top, right, bottom);
      const inRange = (level === 0 || farthest > RANGE[0]) && (level === coarsest || farthest < RANGE[1]);
      if (offCentre < radius && inRange && areas[j]! < smallest) {
        smallest = areas[j]!;
        matches[i] = j;
      }
    }
  }
  return matches;
}
