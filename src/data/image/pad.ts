import type { Frame } from './frame.js';

/** Puts the pixels of a frame's target, RGB row after row, on a ground of one colour: [height, width, 3]. */
export function pad(
  inner: Uint8Array,
  { target, width, height }: Frame,
  [r, g, b]: readonly [number, number, number],
): Uint8Array {
  const data = new Uint8Array(width * height * 3); // [height, width, 3]
  const row = new Uint8Array(width * 3);
  for (let x = 0; x < width * 3; x += 3) {
    row[x] = r;
    row[x + 1] = g;
    row[x + 2] = b;
  }
  for (let y = 0; y < height; y++) data.set(row, y * width * 3);
  for (let y = 0; y < target.height; y++) {
    const from = y * target.width * 3;
    data.set(inner.subarray(from, from + target.width * 3), ((target.top + y) * width + target.left) * 3);
  }
  return data;
}
