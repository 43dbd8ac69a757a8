import type { AnchorLevel } from './anchors.js';

/** The anchors of one level. A cell has one for each combination of a side and a ratio: its area is that of a square
 *  with this side, in pixels, and the ratio is its height over its width. */
export interface AnchorGrid {
  readonly height: number;
  readonly width: number;
  readonly sides: readonly number[];
  readonly ratios: readonly number[];
}

/** Rounds to the nearest whole number, and halves to the even one, as torch.round does. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The levels for an input of the given height and width. The anchors of a cell are ordered by ratio, then by side. As
 *  in torchvision's AnchorGenerator, the corners around the first pixel of a cell are rounded, and cells are a whole
 *  number of pixels apart. */
export const gridLevels = (
  levels: readonly AnchorGrid[],
  [height, width]: readonly [number, number],
): readonly AnchorLevel[] =>
  levels.map((level) => ({
    grid: { height: level.height, width: level.width },
    step: [Math.floor(height / level.height), Math.floor(width / level.width)],
    offset: 0,
    shapes: level.ratios.flatMap((ratio) =>
      level.sides.map((side): [width: number, height: number] => {
        const stretch = Math.sqrt(ratio);
        return [2 * roundHalfEven(side / stretch / 2), 2 * roundHalfEven((side * stretch) / 2)];
      }),
    ),
  }));
