import type { Picture } from '../../sample.js';

/** Flips a picture left to right, with the same bytes as decodeImage with `flip`. */
export function mirrorPicture({ data, width, height }: Picture): Picture {
  const mirrored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let from = y * width * 3, to = from + (width - 1) * 3; from < (y + 1) * width * 3; from += 3, to -= 3) {
      mirrored[to] = data[from]!;
      mirrored[to + 1] = data[from + 1]!;
      mirrored[to + 2] = data[from + 2]!;
    }
  }
  return { data: mirrored, width, height };
}
