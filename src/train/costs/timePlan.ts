import type { Costs } from './rehearse.js';

/** What determines the duration of a run. */
export interface Length {
  /** Steps of an epoch that sees all images. */
  readonly fullEpoch: number;
  readonly evaluateEvery: number;
  /** Epochs between two rounds of labelling. */
  readonly labelEvery: number;
  /** Images of an evaluation, and images that are scored after the training. */
  readonly validated: number;
  readonly scored: number;
  /** The first epoch of each phase of freezing, and its costs; in the order of the epochs, from 0 on. */
  readonly phases: readonly { readonly epoch: number; readonly costs: Costs }[];
}

export interface TimePlan {
  readonly epochs: number;
  /** null: all images. */
  readonly stepsPerEpoch: number | null;
  /** Seconds of the whole run, as forecast. */
  readonly seconds: number;
}

/** Seconds for writing predictions, metrics and the report with its pictures. */
const REPORT = 3;
/** Share of the time that whole epochs may leave unused. */
const LEFT_OVER = 0.03;

/** Forecasts the seconds of runs of 0, 1, 2 … epochs with the given steps each: training, labelling, evaluations,
 *  checkpoints, the final scoring and the report. */
function* forecasts(
  steps: number,
  { phases, evaluateEvery, labelEvery, validated, scored }: Length,
): Generator<number, never> {
  const { evaluateStart, evaluateImage } = phases[0]!.costs;
  let seconds = 2 * evaluateStart + evaluateImage * scored + REPORT;
  for (let epoch = 0; ; epoch++) {
    const { epoch: since, costs } = phases.findLast((phase) => phase.epoch <= epoch)!;
    const evaluation = validated * costs.evaluateImage + costs.checkpoint;
    yield seconds + (epoch % evaluateEvery === 0 ? 0 : evaluation); // the last epoch is always evaluated
    if (epoch === since) seconds += costs.start;
    if (epoch % labelEvery === 0) seconds += costs.round;
    seconds += steps * (epoch === since ? costs.step : costs.cachedStep) + costs.checkpoint; // the first epoch fills the cache
    if ((epoch + 1) % evaluateEvery === 0) seconds += evaluation;
  }
}

/** Forecasts the seconds of a run with the given epochs, of the given steps each. */
export function forecastSeconds(epochs: number, steps: number, length: Length): number {
  const runs = forecasts(steps, length);
  for (let epoch = 0; epoch < epochs; epoch++) runs.next();
  return runs.next().value;
}

/** Plans a run that fits into the seconds that are left: as many whole epochs as fit or, where these would leave much
 *  time unused, one epoch more, each of them a little shorter; different epochs leave out different images. Undefined
 *  where not even one step fits. */
export function planTime(seconds: number, length: Length): TimePlan | undefined {
  const { fullEpoch } = length;
  const runs = forecasts(fullEpoch, length);
  let [epochs, whole, longer] = [0, runs.next().value, runs.next().value];
  while (longer <= seconds) [epochs, whole, longer] = [epochs + 1, longer, runs.next().value];
  if (epochs > 0 && whole >= (1 - LEFT_OVER) * seconds) return { epochs, stepsPerEpoch: null, seconds: whole };
  const overhead = forecastSeconds(epochs + 1, 0, length);
  const steps = Math.floor(((seconds - overhead) / (longer - overhead)) * fullEpoch);
  if (steps >= 1)
    return { epochs: epochs + 1, stepsPerEpoch: steps, seconds: forecastSeconds(epochs + 1, steps, length) };
  return epochs > 0 ? { epochs, stepsPerEpoch: null, seconds: whole } : undefined;
}
