/** What both directions of resizing share: the image, and the fixed-point numbers of libvips. */

export type Method = 'bilinear' | 'bicubic';

/** Interleaved RGB, row after row. */
export interface Raster {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A weight of 1 in fixed point, and its logarithm. */
export const [SCALE, SHIFT] = [4096, 12];

/** Number of positions between two samples for which there are weights. */
export const POSITIONS = 64;

/** Index of the weights for a position that is not negative: its fraction, rounded to 0…POSITIONS. */
export const indexOf = (position: number): number =>
  ((Math.trunc(position * POSITIONS * 2) & (POSITIONS * 2 - 1)) + 1) >> 1;
