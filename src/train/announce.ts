import type { Dataset } from '../data/sample.js';
import { describeFrozen } from './freeze.js';
import type { TrainOptions } from './options.js';
import { categoriesWithout } from './preflight.js';
import type { Trainer } from './trainer.js';

const short = (rate: number): string => String(Number(rate.toPrecision(3)));

/** The messages at the start of a run, a sentence each: where it resumes, its learning rates, and what is repeated or
 *  thawed. */
export function announce(
  trainer: Pick<Trainer, 'plan' | 'state' | 'instead'>,
  data: Pick<Dataset, 'categories' | 'annotations'>,
  options: TrainOptions,
): string[] {
  const { repeat, schedule } = trainer.plan;
  const { peak, totalSteps, stepsPerEpoch } = schedule;
  const { value, perBatch } = options.lr;
  const batch = options.batch * options.share.count;
  const images = batch * options.accumulate;
  const thawings = (options.freeze.unfreeze ?? []).map(
    ({ epoch, stages, lr }) =>
      `after ${epoch} epochs the learning rate is multiplied by ${lr} (${short(peak * lr)} at the peak); frozen stages: ${describeFrozen(stages)}`,
  );
  const lacking = categoriesWithout(data);
  return [
    ...(lacking === undefined ? [] : [lacking]),
    ...(options.resume ? [whereFrom(trainer, options)] : []),
    `learning rate ${short(peak)} (${value} per ${perBatch} images, ${images} images a step); ${totalSteps} steps`,
    ...(repeat && options.repeatThreshold !== null ? [repetition(repeat, stepsPerEpoch * batch)] : []),
    ...thawings,
  ];
}

function whereFrom(
  { state, plan: { schedule }, instead }: Pick<Trainer, 'plan' | 'state' | 'instead'>,
  { epochs }: TrainOptions,
): string {
  if (state.step === 0) return 'no checkpoint has been written yet: the run starts from the beginning';
  const place = `resuming after step ${state.step} of ${schedule.totalSteps}, epoch ${state.epoch + 1} of ${epochs}`;
  return instead === undefined ? place : `${place}, from the checkpoint before the last, which is damaged: ${instead}`;
}

function repetition(repeat: Float64Array, images: number): string {
  const repeated = repeat.filter((factor) => factor > 1).length;
  return `${repeated} of ${repeat.length} images are repeated because their categories are rare, at most ${short(Math.max(...repeat))} times: ${images} images an epoch`;
}
