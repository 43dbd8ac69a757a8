/** A weight or statistic: row-major values in the graph's own layout (convolutions HWIO, depthwise HWC1, linear IO). */
export interface Param {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Every weight and statistic of a model by its name, in the order of the graph. */
export type Params = Map<string, Param>;
