export interface EmaOptions {
  /** Share of the old mean in the new. */
  readonly decay: number;
  /** Smaller at first, so that the mean forgets where it began. */
  readonly warmup: boolean;
}

/** Share of the new value in the running mean of the weights, `updates` updates after its start. With warm-up the decay is at most (1 + t)/(10 + t),
 *  as in TensorFlow's ExponentialMovingAverage. */
export const emaShare = (updates: number, { decay, warmup }: EmaOptions): number =>
  1 - (warmup ? Math.min(decay, (1 + updates) / (10 + updates)) : decay);
