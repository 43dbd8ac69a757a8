import type { Origin } from '../network.js';
import { textBoxes, type Maps, type TextThresholds } from './textBoxes.js';

export interface TextDetection {
  /** x1, y1, …, in pixels of the original image. */
  readonly outline: readonly number[];
  /** 0…1. */
  readonly score: number;
}

/** The score maps of one image, and the image that they come from. */
export interface MapsOf {
  readonly maps: Maps;
  readonly origin: Origin;
}

/** Number of cells along a side of the input: a convolution with stride 2 rounds up. */
export const half = (length: number): number => Math.ceil(length / 2);

/** The score maps of each image of a batch. */
export function mapsOf(
  { maps }: Readonly<Record<string, Float32Array>>,
  origins: readonly Origin[],
  size: readonly [number, number],
): MapsOf[] {
  const [height, width] = size.map(half) as [number, number];
  const length = height * width * 2;
  return origins.map((origin, n) => ({
    maps: { data: maps!.subarray(n * length, (n + 1) * length), width, height },
    origin,
  }));
}

/** The words in the score maps of one image, in pixels of the original image. */
export function findText({ maps, origin }: MapsOf, thresholds: TextThresholds): TextDetection[] {
  const { scaleX, scaleY, offsetX, offsetY } = origin.placement;
  return textBoxes(maps, thresholds).map(({ outline, score }) => ({
    score,
    // The middle of cell i is pixel 2i + 1 of the input.
    outline: Array.from(outline, (value, i) =>
      i % 2 === 0 ? (2 * value + 1 - offsetX) / scaleX : (2 * value + 1 - offsetY) / scaleY,
    ),
  }));
}
