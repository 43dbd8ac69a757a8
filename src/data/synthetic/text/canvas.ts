import type { Coverage } from './coverage.js';

/** Red, green, blue, 0…255. */
export type Colour = readonly [number, number, number];

/** An image that is being painted. */
export interface Canvas {
  /** [height, width, 3], 0…255. */
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** One colour, or a function that gives the colour of each pixel. */
export type Paint = Colour | ((x: number, y: number) => Colour);

/** Paints the covered pixels of the canvas, shifted by whole pixels. */
export function paint(
  { data, width, height }: Canvas,
  coverage: Coverage,
  ink: Paint,
  { opacity = 1, dx = 0, dy = 0 } = {},
): void {
  const flat = typeof ink === 'function' ? undefined : ink;
  for (let row = 0; row < coverage.height; row++) {
    const y = coverage.top + row + dy;
    if (y < 0 || y >= height) continue;
    const from = row * coverage.width;
    for (let column = 0; column < coverage.width; column++) {
      const alpha = coverage.data[from + column]! * opacity;
      const x = coverage.left + column + dx;
      if (alpha < 0.004 || x < 0 || x >= width) continue; // less than one level of 255
      const colour = flat ?? (ink as (x: number, y: number) => Colour)(x, y);
      const at = (y * width + x) * 3;
      data[at] = data[at]! + (colour[0] - data[at]!) * alpha;
      data[at + 1] = data[at + 1]! + (colour[1] - data[at + 1]!) * alpha;
      data[at + 2] = data[at + 2]! + (colour[2] - data[at + 2]!) * alpha;
    }
  }
}

/** Mean colour of a rectangle, on a grid of at most 16 × 16 of its pixels. */
export function meanColour({ data, width, height }: Canvas, [x1, y1, x2, y2]: readonly number[]): Colour {
  const sum = [0, 0, 0];
  let count = 0;
  const [left, top] = [Math.max(0, Math.floor(x1!)), Math.max(0, Math.floor(y1!))];
  const [right, bottom] = [Math.min(width, x2!), Math.min(height, y2!)];
  const stepX = Math.max(1, Math.floor((right - left) / 16));
  const stepY = Math.max(1, Math.floor((bottom - top) / 16));
  for (let y = top; y < bottom; y += stepY) {
    for (let x = left; x < right; x += stepX, count++) {
      for (let c = 0; c < 3; c++) sum[c]! += data[(y * width + x) * 3 + c]!;
    }
  }
  return [sum[0]! / count, sum[1]! / count, sum[2]! / count];
}

/** Perceived brightness, 0…255 (ITU-R BT.601). */
export const luminance = ([r, g, b]: Colour): number => 0.299 * r + 0.587 * g + 0.114 * b;

export const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];
