import { keepsPixels } from '../data/pipeline/augment/kinds.js';
import { countBatches } from '../data/pipeline/loader.js';
import { mixedLength } from '../data/oldImages.js';
import { repeatedLength, wantedRepeats } from '../data/repeatFactor.js';
import type { Dataset } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import type { Model } from '../tasks/model.js';
import { freezePhases, planFreeze } from './freeze.js';
import { planGroups } from './groups.js';
import type { TrainOptions } from './options.js';
import { planPhase, type Phase } from './planPhase.js';
import { checkFrozen } from './preflight.js';
import type { Schedule } from './schedule.js';

/** All that is known about a run before anything is computed. */
export interface TrainingPlan {
  /** How often each image is shown in an epoch, on average; undefined where every image is shown once. */
  readonly repeat: Float64Array | undefined;
  readonly schedule: Schedule;
  /** At least one, in the order of their epochs; freeze.ts says which one an epoch belongs to. */
  readonly phases: readonly Phase[];
  /** Names of the parameters that the optimizer changes in at least one phase. */
  readonly trainable: readonly string[];
  /** Names of the parameters, statistics included, that nothing changes in any phase. */
  readonly frozen: readonly string[];
  /** Whether the BatchNorm at this path normalises with the batch's statistics in at least one phase. */
  readonly trainsBatchNorm: (path: string) => boolean;
}

/** What the plan depends on of the training part. */
export type TrainingFacts = Pick<Dataset, 'annotations' | 'categories' | 'repeat' | 'old'>;

/** Plans a run, all its phases included, so that a mistake in a later one is found before the first step. Builds graphs
 *  and computes nothing. Throws E_DATA_TOO_FEW, E_FREEZE_STAGES, E_GROUP_PATTERN, E_GRAD_MISSING, E_CACHE_AUGMENT. */
export function planTraining(model: Model, data: TrainingFacts, options: TrainOptions): TrainingPlan {
  const { backbone, parameters } = model;
  const repeat = wantedRepeats(data, options.repeatThreshold);
  const schedule = planSchedule(imagesPerEpoch(data, repeat, options.batch * options.share.count), options);
  const frozenPhases = freezePhases(options.freeze).map((phase) => ({
    ...phase,
    freeze: planFreeze(backbone, parameters, phase),
  }));
  const isFrozen = (name: string): boolean => frozenPhases.every(({ freeze }) => freeze.frozen(name));
  const [frozen, changing] = [
    [...parameters.keys()].filter(isFrozen),
    [...parameters].filter(([name]) => !isFrozen(name)),
  ];
  const trainable = changing.filter(([, { role }]) => role !== 'mean' && role !== 'variance').map(([name]) => name);
  const groupOf = planGroups(backbone, parameters, trainable, { ...options, ...options.optimizer });
  const phases = frozenPhases.map((phase) => planPhase(model, phase, groupOf, options));
  for (const { programs, freeze } of phases) checkFrozen(programs, freeze);
  checkCache(phases, options);
  const trainsBatchNorm = (path: string): boolean => phases.some(({ freeze }) => freeze.trainBatchNorm(path));
  return { repeat, schedule, phases, trainable, frozen, trainsBatchNorm };
}

function imagesPerEpoch({ annotations, old }: TrainingFacts, repeat: Float64Array | undefined, batch: number): number {
  if (repeat) return repeatedLength(repeat);
  return old ? mixedLength(batch, old) : annotations.length;
}

function planSchedule(images: number, options: TrainOptions): Schedule {
  const { epochs, accumulate, lr, warmup, schedule: shape, share } = options;
  const batch = options.batch * share.count;
  const stepsPerEpoch = Math.min(countBatches(images, batch, true), options.stepsPerEpoch ?? Infinity);
  if (stepsPerEpoch === 0) {
    throw new FinetuneError({
      code: 'E_DATA_TOO_FEW',
      option: 'train.batch',
      message: `${images} images do not fill a batch of ${batch}${share.count > 1 ? `, ${options.batch} for each of ${share.count} workers` : ''}`,
      fix: `set train.batch to at most ${Math.floor(images / share.count)}`,
    });
  }
  return {
    peak: (lr.value * (batch * accumulate)) / lr.perBatch,
    warmupSteps: warmup.steps ?? Math.round(warmup.epochs * stepsPerEpoch),
    totalSteps: epochs * stepsPerEpoch,
    stepsPerEpoch,
    shape,
  };
}

function checkCache(phases: readonly Phase[], { augment, cache }: TrainOptions): void {
  if (cache === 'none' || !augment || keepsPixels(augment) || phases.every(({ programs }) => !programs.prefix)) return;
  throw new FinetuneError({
    code: 'E_CACHE_AUGMENT',
    option: 'train.cache',
    message: 'train.cache keeps the features of each image, but data.augment changes its pixels at every epoch',
    fix: 'switch everything in data.augment off (flip may stay), or set train.cache: none',
  });
}
