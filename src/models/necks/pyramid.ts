import type { Value } from '../../graph/spec.js';

/** One level of a feature pyramid. */
export interface PyramidLevel {
  /** [N,H,W,C]. */
  readonly map: Value;
  /** Pixels of the input from one cell to the next. */
  readonly stride: number;
}
