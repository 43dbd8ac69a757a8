import type { RandomStream } from '../../../random.js';
import { meanColour } from '../../image/meanColour.js';
import { distortColours } from './photometric.js';
import type { Picture } from '../../sample.js';

export interface RandAugmentOptions {
  /** Number of operations per image. */
  readonly operations: number;
  /** Strength of all operations, 0…10. */
  readonly magnitude: number;
}

/** Returns a changed copy, or the given picture. */
type Operation = (picture: Picture) => Picture;

/** Draw the operations of RandAugment, Cubuk et al. 2020 (arXiv:1909.13719), which have one magnitude. Of its fourteen
 *  operations these are left out: sharpness and the equalisation of histograms. */
export function drawRandAugment({ operations, magnitude }: RandAugmentOptions, random: RandomStream): Operation[] {
  const strength = magnitude / 10;
  return Array.from({ length: operations }, () => {
    const draw = draws[random.integer(0, draws.length)]!;
    return draw(strength * (random.chance(0.5) ? 1 : -1));
  });
}

/** Maximum changes at magnitude 10, as in the paper's code (AutoAugment's). */
const ROTATION = 30; // degrees
const SHEAR = 0.3;
const SHIFT = 0.45; // of the side, as in timm
const FACTOR = 0.9;

const draws: readonly ((strength: number) => Operation)[] = [
  () => (picture) => picture,
  () => autoContrast,
  (s) => turn((s * ROTATION * Math.PI) / 180),
  (s) => affine(() => [1, s * SHEAR, 0, 1, 0, 0]),
  (s) => affine(() => [1, 0, s * SHEAR, 1, 0, 0]),
  (s) => affine(({ width }) => [1, 0, 0, 1, s * SHIFT * width, 0]),
  (s) => affine(({ height }) => [1, 0, 0, 1, 0, s * SHIFT * height]),
  (s) => colours({ brightness: s * FACTOR * 128 }),
  (s) => colours({ contrast: 1 + s * FACTOR }),
  (s) => colours({ saturation: 1 + s * FACTOR }),
  (s) => byChannel((value) => value & (0xff << Math.round(4 * Math.abs(s)))), // posterize: keeps 4…8 bits
  (s) => byChannel((value) => (value < 256 * (1 - Math.abs(s)) ? value : 255 - value)), // solarize
];

const colours =
  (change: { readonly brightness?: number; readonly contrast?: number; readonly saturation?: number }): Operation =>
  ({ data, ...size }) => {
    const copy = data.slice();
    const none = { brightness: undefined, contrast: undefined, saturation: undefined, hue: undefined };
    distortColours(copy, { ...none, contrastFirst: true, ...change });
    return { data: copy, ...size };
  };

const byChannel =
  (change: (value: number) => number): Operation =>
  ({ data, ...size }) => ({ data: data.map(change), ...size });

/** Stretches each channel over 0…255. */
function autoContrast({ data, ...size }: Picture): Picture {
  const low = [255, 255, 255];
  const high = [0, 0, 0];
  for (const [i, value] of data.entries()) {
    low[i % 3] = Math.min(low[i % 3]!, value);
    high[i % 3] = Math.max(high[i % 3]!, value);
  }
  const stretched = data.map((value, i) => {
    const [from, to] = [low[i % 3]!, high[i % 3]!];
    return to > from ? ((value - from) * 255) / (to - from) : value;
  });
  return { data: stretched, ...size };
}

type Matrix = readonly [xx: number, xy: number, yx: number, yy: number, dx: number, dy: number];

const turn = (angle: number): Operation =>
  affine(() => [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0]);

/** Moves pixels by an affine map about the picture's middle, with bilinear interpolation: the matrix maps a pixel of
 *  the result to the place where it is read. Places outside the picture give the mean colour. */
const affine =
  (matrixFor: (picture: Picture) => Matrix): Operation =>
  (picture) => {
    const { data, width, height } = picture;
    const [xx, xy, yx, yy, dx, dy] = matrixFor(picture);
    const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
    const result = new Uint8Array(data.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const u = xx * (x - cx) + xy * (y - cy) + cx + dx;
        const v = yx * (x - cx) + yy * (y - cy) + cy + dy;
        const place = (y * width + x) * 3;
        if (u < 0 || v < 0 || u > width - 1 || v > height - 1) {
          result.set(meanColour, place);
          continue;
        }
        const [left, top] = [Math.min(Math.floor(u), width - 2), Math.min(Math.floor(v), height - 2)];
        const [a, b] = [u - left, v - top];
        const from = (top * width + left) * 3;
        for (let c = 0; c < 3; c++) {
          const above = data[from + c]! * (1 - a) + data[from + 3 + c]! * a;
          const below = data[from + width * 3 + c]! * (1 - a) + data[from + width * 3 + 3 + c]! * a;
          result[place + c] = above * (1 - b) + below * b + 0.5;
        }
      }
    }
    return { data: result, width, height };
  };
