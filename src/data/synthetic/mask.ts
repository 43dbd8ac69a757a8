import type { Outline } from './outline.js';

/** Which cells are covered, on a plane that extends half an image beyond the image on every side. The cells are coarse:
 *  they only tell how much of an object is hidden, where a few percent do not matter. */
export interface Mask {
  readonly cells: Uint8Array;
  readonly columns: number;
  readonly rows: number;
}

const CELL = 3; // pixels

/** Marks the cells whose centres lie inside the union of some outlines (even-odd rule within each), line by line. */
export function maskOf(outlines: readonly Outline[], width: number, height: number): Mask {
  const columns = Math.ceil((2 * width) / CELL);
  const rows = Math.ceil((2 * height) / CELL);
  const cells = new Uint8Array(columns * rows);
  for (const outline of outlines) {
    for (let row = 0; row < rows; row++) {
      const y = (row + 0.5) * CELL - height / 2;
      const crossings: number[] = [];
      outline.forEach(([x1, y1], i) => {
        const [x2, y2] = outline[(i + 1) % outline.length]!;
        if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
      });
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const from = Math.max(0, Math.ceil((crossings[i]! + width / 2) / CELL - 0.5));
        const to = Math.min(columns - 1, Math.floor((crossings[i + 1]! + width / 2) / CELL - 0.5));
        for (let column = from; column <= to; column++) cells[row * columns + column] = 1;
      }
    }
  }
  return { cells, columns, rows };
}

/** The share of `mask` that lies inside the image and under none of `covers`; 0 for an empty mask. */
export function visibleShare({ cells, columns, rows }: Mask, covers: readonly Mask[]): number {
  let all = 0;
  let seen = 0;
  for (let row = 0; row < rows; row++) {
    const inRows = row >= rows / 4 && row < (rows * 3) / 4; // the image is the middle half of the plane
    for (let column = 0; column < columns; column++) {
      const cell = row * columns + column;
      if (!cells[cell]) continue;
      all++;
      const inside = inRows && column >= columns / 4 && column < (columns * 3) / 4;
      if (inside && !covers.some((cover) => cover.cells[cell])) seen++;
    }
  }
  return all === 0 ? 0 : seen / all;
}
