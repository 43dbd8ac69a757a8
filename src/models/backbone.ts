import type { Context, Style } from '../graph/blocks.js';
import type { Value } from '../graph/spec.js';

/** Feature maps of a backbone, by stride 2, 4, 8, 16, 32. */
export interface Taps {
  readonly c1: Value;
  readonly c2: Value;
  readonly c3: Value;
  readonly c4: Value;
  readonly c5: Value;
  /** Stride 16, inside the first block of stride 32, after its expansion: what SSD-lite reads. */
  readonly c4Expanded: Value;
}

/** A backbone by its published name. Its parameters are called as timm calls them, under `backbone.`. */
export interface Backbone {
  readonly name: string;
  readonly style: Style;
  /** What the images are normalised with, pixels of 0…255: (x − mean) / std. */
  readonly mean: number;
  readonly std: number;
  /** Paths of the parameters of each stage, from the input on: what `freeze.stages` counts. */
  readonly stages: readonly (readonly string[])[];
  /** Where the architecture comes from. */
  readonly source: string;
  readonly features: (image: Value, at: Context) => Taps;
}
