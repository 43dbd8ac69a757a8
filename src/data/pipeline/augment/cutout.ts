import type { RandomStream } from '../../../random.js';
import type { Rect } from '../../image/frame.js';
import { meanColour } from '../../image/meanColour.js';
import type { BoxSample } from '../../sample.js';

const MOST_HOLES = 3;
/** Range of a hole's sides, as shares of the input's sides. */
const SIDES = [0.05, 0.25] as const;
/** Share of an object from which on it is ignored when holes cover it. */
const MOST_HIDDEN = 0.5;

/** Cover one to three rectangles with the mean colour; an object that is mostly hidden becomes an ignored one.
 *  After DeVries & Taylor 2017 (arXiv:1708.04552). */
export function cutHoles(sample: BoxSample, random: RandomStream): BoxSample {
  const { width, height } = sample.picture;
  const count = random.integer(1, MOST_HOLES + 1);
  const holes = Array.from({ length: count }, (): Rect => {
    const w = Math.max(1, Math.round(width * random.uniform(...SIDES)));
    const h = Math.max(1, Math.round(height * random.uniform(...SIDES)));
    return { left: random.integer(0, width - w + 1), top: random.integer(0, height - h + 1), width: w, height: h };
  });
  const data = sample.picture.data.slice();
  for (const { left, top, width: w, height: h } of holes)
    for (let y = top; y < top + h; y++)
      for (let i = (y * width + left) * 3, end = i + w * 3; i < end; i += 3) data.set(meanColour, i);
  const ignore = sample.ignore.map((ignored, i) => ignored || hiddenShare(sample, i, holes) > MOST_HIDDEN);
  return { ...sample, picture: { data, width, height }, ignore };
}

/** Share of an object that the holes cover, estimated on a grid of points. */
function hiddenShare({ boxes }: BoxSample, i: number, holes: readonly Rect[]): number {
  const [x1, y1, x2, y2] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
  const covers = ({ left, top, width, height }: Rect, x: number, y: number) =>
    x >= left && x < left + width && y >= top && y < top + height;
  const STEPS = 8;
  let count = 0;
  for (let row = 0; row < STEPS; row++)
    for (let column = 0; column < STEPS; column++) {
      const x = x1 + ((column + 0.5) * (x2 - x1)) / STEPS;
      const y = y1 + ((row + 0.5) * (y2 - y1)) / STEPS;
      if (holes.some((hole) => covers(hole, x, y))) count++;
    }
  return count / STEPS ** 2;
}
