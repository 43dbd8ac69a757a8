import type { AnchorLevel } from './anchors.js';

/** The anchors of one level: its grid, the sides of their squares in pixels, and height over width. */
export interface AnchorGrid {
  readonly height: number;
  readonly width: number;
  readonly sides: readonly number[];
  readonly ratios: readonly number[];
}

/** To the nearest whole number, halves to the even one, as torch.round does. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The levels for an input of the given height and width, the shapes of a cell ratio after ratio. torchvision's AnchorGenerator: corners
 *  rounded around a cell's first pixel, cells a whole number of pixels apart. */
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
