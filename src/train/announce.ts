import type { Dataset } from '../data/sample.js';
import { freezePhases } from './freeze.js';
import { categoriesWithout } from './preflight.js';
import type { TrainOptions, Trainer } from './trainer.js';

const short = (rate: number): string => String(Number(rate.toPrecision(3)));

/** What a run begins with, a sentence each: where it goes on, its learning rate, and those of the stages that thaw. */
export function announce(
  trainer: Trainer,
  data: Pick<Dataset, 'categories' | 'annotations'>,
  options: TrainOptions,
): string[] {
  const { peak, totalSteps, stepsPerEpoch } = trainer.schedule;
  const { value, perBatch } = options.lr;
  const images = options.batch * options.accumulate;
  const thawings = freezePhases(options.freeze).slice(1).map(({ stages, lr }, i) => {
    const frozen = typeof stages === 'object' ? stages.join(', ') || 'nothing' : stages;
    return `after ${options.freeze.unfreeze![i]!.epoch} epochs the rates are times ${lr}, at the peak ${short(peak * lr)}; frozen then: ${frozen}`;
  }); // prettier-ignore
  const lacking = categoriesWithout(data);
  return [
    ...(lacking === undefined ? [] : [lacking]),
    ...(options.resume ? [whereFrom(trainer, options)] : []),
    `learning rate ${short(peak)} (${value} per ${perBatch} images, ${images} a step); ${totalSteps} steps`,
    ...(trainer.repeat && options.repeatThreshold !== null
      ? [repetition(trainer.repeat, stepsPerEpoch * options.batch)]
      : []),
    ...thawings,
  ];
}

function whereFrom({ state, schedule, instead }: Trainer, { epochs }: TrainOptions): string {
  if (state.step === 0) return 'no checkpoint was written yet: the run begins';
  const place = `going on after step ${state.step} of ${schedule.totalSteps}, epoch ${state.epoch + 1} of ${epochs}`;
  return instead === undefined ? place : `${place}, from the checkpoint before the last, which is damaged: ${instead}`;
}

function repetition(repeat: Float64Array, images: number): string {
  const often = repeat.filter((factor) => factor > 1).length;
  return `of ${repeat.length} images ${often} are repeated for their rare categories, at most ${short(Math.max(...repeat))} times: ${images} an epoch`;
}
