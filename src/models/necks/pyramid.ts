import type { Value } from '../../graph/spec.js';

/** One level of a feature pyramid. */
export interface PyramidLevel {
  /** [N,H,W,C]. */
  readonly map: Value;
  /** Distance from one cell to the next, in pixels of the input. */
  readonly stride: number;
}

/** Padding of a window that stays inside the map. */
export const NO_PADDING = [
  [0, 0],
  [0, 0],
] as const;
