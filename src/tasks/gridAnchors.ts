import { xyxy, type Xyxy } from '../geometry/box.js';

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

/** Anchors of all levels for an input of the given height and width: [A,4] in its pixels, level after level, row after row, cell after
 *  cell, ratio after ratio. torchvision's AnchorGenerator: corners rounded around a cell's first pixel, cells a whole number of pixels apart. */
export function gridAnchors(levels: readonly AnchorGrid[], [height, width]: readonly [number, number]): Xyxy {
  const rows: number[] = [];
  for (const level of levels) {
    const shapes = level.ratios.flatMap((ratio) =>
      level.sides.map((side) => {
        const stretch = Math.sqrt(ratio);
        return [roundHalfEven(side / stretch / 2), roundHalfEven((side * stretch) / 2)] as const;
      }),
    );
    const [down, right] = [Math.floor(height / level.height), Math.floor(width / level.width)];
    for (let y = 0; y < level.height; y++) {
      for (let x = 0; x < level.width; x++) {
        for (const [w, h] of shapes) rows.push(x * right - w, y * down - h, x * right + w, y * down + h);
      }
    }
  }
  return xyxy(rows);
}
