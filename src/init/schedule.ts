import { setting, type Setting } from './setting.js';

/** Steps that a run should have: raccoon's 340 reach AP50 0.95 on 140 images, BCCD's 500 reach 0.88 on 205
 *  (docs/results.md). */
const LEAST_STEPS = 320;
const GOOD_STEPS = 500;
/** Images below which the least steps are enough. */
const FEW_IMAGES = 150;
/** Epochs at least, over a large data set, and at most. */
const FEW_EPOCHS = 12;
const MANY_EPOCHS = 120;
/** Evaluations of a run: each costs time, and one chooses the epoch. */
const EVALUATIONS = 12;
/** Steps between two evaluations of a run whose length is planned by its time. */
const STEPS_BETWEEN = 40;

export interface ScheduleWish {
  /** Images of an epoch. */
  readonly images: number;
  /** The batch for a data set that is large enough. */
  readonly batch: number;
  /** The time that the run may take, such as 10m. */
  readonly time: string | undefined;
  /** Steps of a good run, if not those of a detector. */
  readonly steps?: number;
  /** Epochs at least (default: 12). */
  readonly least?: number;
}

/** Batch, epochs and warm-up that make a schedule that can work. */
export function chooseSchedule({
  images,
  batch: most,
  time,
  steps: wanted = images < FEW_IMAGES ? LEAST_STEPS : GOOD_STEPS,
  least = FEW_EPOCHS,
}: ScheduleWish): Setting[] {
  const fifth = Math.max(1, Math.floor(images / 5));
  const batch = Math.min(most, 2 ** Math.floor(Math.log2(fifth)));
  const perEpoch = Math.max(1, Math.floor(images / batch));
  const few = Math.ceil(LEAST_STEPS / perEpoch);
  const epochs = Math.max(Math.min(MANY_EPOCHS, Math.round(wanted / perEpoch)), least, few);
  const steps = epochs * perEpoch;
  const every = Math.max(1, Math.round(time === undefined ? epochs / EVALUATIONS : STEPS_BETWEEN / perEpoch));
  const warmup = Math.max(1, Math.round(Math.min(steps / 20, perEpoch)));
  return [
    ...(batch < 4 ? [setting('train.freeze.batchNorm', 'eval', 'the statistics of so small a batch are noise')] : []),
    setting('train.batch', batch, batch < most ? `${images} images: at most a fifth of them in a batch` : undefined),
    ...(time === undefined
      ? [setting('train.epochs', epochs, `${perEpoch} steps an epoch, ${steps} in all`)]
      : [setting('train.time', time, 'epochs and steps are planned from timed steps')]),
    ...(every > 1 ? [setting('train.evaluateEvery', every, 'an evaluation costs time, too')] : []),
    setting(
      'train.warmup.steps',
      time === undefined ? warmup : Math.min(warmup, 25),
      'the learning rate rises for a twentieth of the run, at most an epoch',
    ),
  ];
}
