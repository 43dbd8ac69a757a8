/** How the learning rate changes after the warm-up. */
export interface ScheduleShape {
  /** `cosine` and `poly` fall to 0; `step` cuts the rate at the ends of some epochs; `onecycle` rises and falls;
   *  `plateau` cuts it when the score stops rising. */
  readonly name: 'cosine' | 'step' | 'poly' | 'onecycle' | 'plateau';
  /** Epochs after which `step` cuts the rate. */
  readonly at: readonly number[];
  /** Factor of each cut of `step` and `plateau`. */
  readonly factor: number;
  /** Exponent of `poly`. */
  readonly power: number;
  /** Evaluations in a row without a better score that `plateau` tolerates before it cuts the rate. */
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

/** The state of the schedule `plateau`, a part of the checkpoint's state. */
export interface Plateau {
  /** Evaluations since the best one or the last cut. */
  readonly since: number;
  readonly cuts: number;
}
export const initialPlateau: Plateau = { since: 0, cuts: 0 };

/** Defaults of PyTorch's OneCycleLR: the share of the steps during which the rate rises, the peak over the first rate,
 *  and the first over the last. */
const RISE = 0.3;
const FIRST = 25;
const LAST = 1e4;

const halfCosine = (from: number, to: number, share: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));

/** Smith & Topin 2019 (arXiv:1708.07120): the rate rises from peak/25 in 30 % of the steps, then falls to a
 *  ten-thousandth of that, both along half a cosine. */
function oneCycle(step: number, { peak, totalSteps }: Schedule): number {
  const turn = RISE * totalSteps - 1;
  if (step <= turn) return halfCosine(peak / FIRST, peak, step / turn);
  return halfCosine(peak, peak / FIRST / LAST, (step - turn) / (totalSteps - 1 - turn));
}

/** Computes the learning rate of a step, counted from 0: a linear rise to the peak, then the schedule's shape. It
 *  depends on step and plateau alone, so that a resumed run repeats it. Cosine: Loshchilov & Hutter 2017
 *  (arXiv:1608.03983), without restarts. */
export function learningRate(step: number, schedule: Schedule, { cuts }: Plateau = initialPlateau): number {
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

/** Updates the plateau after an evaluation. Like PyTorch's ReduceLROnPlateau, it cuts when more than `patience`
 *  evaluations in a row were no better. */
export function afterEvaluation({ since, cuts }: Plateau, better: boolean, { patience }: ScheduleShape): Plateau {
  if (better) return { since: 0, cuts };
  return since + 1 > patience ? { since: 0, cuts: cuts + 1 } : { since: since + 1, cuts };
}
