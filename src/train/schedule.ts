export interface Schedule {
  /** Peak learning rate. */
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** The learning rate of a step, counted from 0: a linear rise to the peak, then half a cosine down to 0.
 *  Loshchilov & Hutter 2017 (arXiv:1608.03983), without restarts. A function of the step alone: a resumed run repeats it. */
export function learningRate(step: number, { peak, warmupSteps, totalSteps }: Schedule): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const done = (step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1);
  return (peak / 2) * (1 + Math.cos(Math.PI * Math.min(done, 1)));
}
