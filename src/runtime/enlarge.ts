import { indexOf, POSITIONS, SCALE, SHIFT, type Method, type Raster } from './sampling.js';

/** Makes an image larger as libvips's `affine` does: by interpolation between neighbours, half a pixel too far right and down
 *  (ENLARGING_SHIFT in data/image/frame.ts), along an axis that stays as long too. */
export function enlarge(image: Raster, width: number, height: number, method: Method): Raster {
  if (width === image.width && height === image.height) return image;
  const interpolate = interpolators[method](image);
  const [scaleX, scaleY] = [1 / (image.width / width), 1 / (image.height / height)];
  const inverse = 1 / (scaleX * scaleY); // of the determinant: as often rounded as in libvips
  const [stepX, stepY] = [inverse * scaleY, inverse * scaleX];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0, position = AHEAD; x < width; x++, position += stepX, to += 3)
      interpolate(position, stepY * y + 1 - AHEAD, data, to);
  return { data, width, height };
}

/** Positions are counted from a pixel before the image, so that none is negative: 1 − ½. */
const AHEAD = 0.5;

/** Writes the pixel at a position. */
type Interpolate = (x: number, y: number, data: Uint8Array, to: number) => void;

/** Places of the values of a row, or of rows, from the one `before` before a position on; those beyond the image repeat its edge. */
function places(position: number, before: number, count: number, length: number, step: number): number[] {
  const first = Math.trunc(position) - 1 - before;
  return Array.from({ length: count }, (_, k) => Math.min(length - 1, Math.max(0, first + k)) * step);
}

/** The weight of the second of two neighbours, rounded down. */
const weightOf = (position: number): number => Math.trunc((position - Math.trunc(position)) * SCALE);

const bilinear =
  ({ data: from, width, height }: Raster): Interpolate =>
  (x, y, data, to) => {
    const [left, right] = places(x, 0, 2, width, 3) as [number, number];
    const [top, bottom] = places(y, 0, 2, height, width * 3) as [number, number];
    const [across, down] = [weightOf(x), weightOf(y)];
    const lowerRight = (down * across) >> SHIFT;
    const upperRight = ((SCALE - down) * across) >> SHIFT;
    for (let channel = 0; channel < 3; channel++) {
      const upper =
        from[top + left + channel]! * (SCALE - down - upperRight) + from[top + right + channel]! * upperRight;
      const lower = from[bottom + left + channel]! * (down - lowerRight) + from[bottom + right + channel]! * lowerRight;
      data[to + channel] = (upper + lower + SCALE / 2) >> SHIFT;
    }
  };

/** Weights of four neighbours by Catmull-Rom, for each position between the middle two. */
const CATMULL_ROM = Array.from({ length: POSITIONS + 1 }, (_, i) => {
  const [x, rest] = [i / POSITIONS, 1 - i / POSITIONS];
  const [first, last] = [-0.5 * x * rest * rest, -0.5 * x * rest * x];
  const lead = last - first;
  return [first, rest - first + lead, x - last - lead, last].map((weight) => Math.trunc(weight * SCALE));
});

const bicubic =
  ({ data: from, width, height }: Raster): Interpolate =>
  (x, y, data, to) => {
    const [columns, rows] = [places(x, 1, 4, width, 3), places(y, 1, 4, height, width * 3)];
    const [across, down] = [CATMULL_ROM[indexOf(x)]!, CATMULL_ROM[indexOf(y)]!];
    for (let channel = 0; channel < 3; channel++) {
      let sum = SCALE / 2;
      for (let j = 0; j < 4; j++) {
        let row = SCALE / 2;
        for (let i = 0; i < 4; i++) row += across[i]! * from[rows[j]! + columns[i]! + channel]!;
        sum += down[j]! * (row >> SHIFT);
      }
      data[to + channel] = Math.min(255, Math.max(0, sum >> SHIFT));
    }
  };

const interpolators: Readonly<Record<Method, (image: Raster) => Interpolate>> = { bilinear, bicubic };
