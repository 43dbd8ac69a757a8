import type { Costs } from './rehearse.js';

/** What decides about how long a run takes, besides the costs of its parts. */
export interface Length {
  /** Steps of an epoch that sees all images. */
  readonly fullEpoch: number;
  readonly evaluateEvery: number;
  /** Epochs between two rounds of labelling. */
  readonly labelEvery: number;
  /** Images that an evaluation sees, and those that are scored in the end. */
  readonly validated: number;
  readonly scored: number;
  /** Phases of freezing, the first from epoch 0 on: what they cost, in the order of their epochs. */
  readonly phases: readonly { readonly epoch: number; readonly costs: Costs }[];
}

export interface TimePlan {
  readonly epochs: number;
  /** null: all images. */
  readonly stepsPerEpoch: number | null;
  /** Seconds of the whole run, as forecast. */
  readonly seconds: number;
}

/** Writing predictions, metrics and the report with its pictures, seconds. */
const REPORT = 3;
/** Part of the budget that whole epochs may leave over. */
const LEFT_OVER = 0.03;

/** Seconds of runs of 0, 1, 2 … epochs of so many steps: training, labelling, evaluations, checkpoints, the last scoring and the report. */
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
    seconds += steps * (epoch === since ? costs.step : costs.cachedStep) + costs.checkpoint; // a cache is filled in one epoch
    if ((epoch + 1) % evaluateEvery === 0) seconds += evaluation;
  }
}

/** Seconds of a run of so many epochs of so many steps. */
export function forecastSeconds(epochs: number, steps: number, length: Length): number {
  const runs = forecasts(steps, length);
  for (let epoch = 0; epoch < epochs; epoch++) runs.next();
  return runs.next().value;
}

/** The run that fits into the seconds that are left: as many whole epochs as fit, or, where these would leave much over, one epoch more and each a
 *  little shorter; the images that an epoch leaves out are others each time. Undefined where not even one step fits. */
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
