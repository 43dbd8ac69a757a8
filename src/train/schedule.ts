/** How the learning rate goes on after the warm-up. */
export interface ScheduleShape {
  /** `cosine` to 0; `step` at the ends of some epochs; `poly` to 0; `onecycle` up and down; `plateau` when the score stays. */
  readonly name: 'cosine' | 'step' | 'poly' | 'onecycle' | 'plateau';
  /** Epochs after which `step` multiplies by `factor`. */
  readonly at: readonly number[];
  /** Of `step` and `plateau`. */
  readonly factor: number;
  /** Of `poly`. */
  readonly power: number;
  /** Epochs without a better score that `plateau` waits out. */
  readonly patience: number;
}

export interface Schedule {
  /** Peak learning rate. */
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  readonly shape: ScheduleShape;
}

/** What `plateau` remembers, in the checkpoint's state. */
export interface Plateau {
  /** Evaluations since the best one, or since the last cut. */
  readonly since: number;
  readonly cuts: number;
}
export const level: Plateau = { since: 0, cuts: 0 };

/** One-cycle: share of the steps that rise, peak ÷ first rate, first ÷ last rate. PyTorch's OneCycleLR. */
const RISE = 0.3;
const FIRST = 25;
const LAST = 1e4;

const halfCosine = (from: number, to: number, share: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));

/** Smith & Topin 2019 (arXiv:1708.07120): from peak/25 up in 30 % of the steps, and down to a ten-thousandth of where it began, on cosines. */
function oneCycle(step: number, { peak, totalSteps }: Schedule): number {
  const turn = RISE * totalSteps - 1;
  if (step <= turn) return halfCosine(peak / FIRST, peak, step / turn);
  return halfCosine(peak, peak / FIRST / LAST, (step - turn) / (totalSteps - 1 - turn));
}

/** The learning rate of a step, counted from 0: a linear rise to the peak, then the schedule's shape.
 *  Cosine: Loshchilov & Hutter 2017 (arXiv:1608.03983), without restarts. A function of step and plateau alone: a resumed run repeats it. */
export function learningRate(step: number, schedule: Schedule, { cuts }: Plateau = level): number {
  const { peak, warmupSteps, totalSteps, stepsPerEpoch, shape } = schedule;
  if (shape.name === 'onecycle') return oneCycle(step, schedule);
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const done = Math.min((step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1), 1);
  switch (shape.name) {
    case 'cosine':
      return halfCosine(peak, 0, done);
    case 'poly':
      return peak * (1 - done) ** shape.power;
    case 'step':
      return peak * shape.factor ** shape.at.filter((epoch) => step >= epoch * stepsPerEpoch).length;
    case 'plateau':
      return peak * shape.factor ** cuts;
  }
}

/** The plateau after an evaluation. Like PyTorch's ReduceLROnPlateau: cut when more than `patience` evaluations in a row were no better. */
export function afterEvaluation({ since, cuts }: Plateau, better: boolean, { patience }: ScheduleShape): Plateau {
  if (better) return { since: 0, cuts };
  return since + 1 > patience ? { since: 0, cuts: cuts + 1 } : { since: since + 1, cuts };
}
