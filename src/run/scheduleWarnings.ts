import { countBatches } from '../data/pipeline/loader.js';
import type { Recipe } from '../recipe/schema.js';

/** A setting with which a run cannot learn much, and the value that would do. */
export interface ScheduleWarning {
  readonly code: `W_TRAIN_${'STEPS' | 'BATCH' | 'WARMUP'}`;
  readonly option: string;
  readonly message: string;
  readonly fix: string;
}

/** Fewest steps that a run should have: 340 steps taught raccoon, 150 a classifier's last layer (docs/results.md). */
const LEAST_STEPS = 300;
/** Most of the images that a batch should have. */
const MOST_IN_BATCH = 1 / 5;
/** Most of the run that the warm-up should take. */
const MOST_WARMUP = 1 / 2;

interface Planned {
  readonly workers?: number | undefined;
  /** The time for which the length was planned. */
  readonly time?: string | null;
}

/** The warm-up that suits a run in the place of one that takes most of its steps; undefined if the run's own will do. */
export function shorterWarmup({ epochs, warmup, schedule }: Recipe['train'], perEpoch: number): number | undefined {
  const steps = epochs * perEpoch;
  const isLong = schedule.name !== 'onecycle' && warmupSteps(warmup, perEpoch) > MOST_WARMUP * steps && steps > 1;
  return isLong ? Math.max(1, Math.round(steps / 20)) : undefined;
}

const warmupSteps = ({ steps, epochs }: Recipe['train']['warmup'], perEpoch: number): number =>
  steps ?? Math.round(epochs * perEpoch);

/** Says which settings of a planned recipe make a schedule that cannot work with so many images in an epoch, of which
 *  each of `workers` gets a share. */
export function scheduleWarnings(
  { train }: Recipe,
  allImages: number,
  { workers = 1, time = null }: Planned = {},
): ScheduleWarning[] {
  const { epochs, stepsPerEpoch, warmup } = train;
  const images = Math.floor(allImages / workers);
  const ofEach = workers > 1 ? ` that each of ${workers} workers has` : '';
  const batch = Number(train.batch);
  const perEpoch = Math.min(countBatches(images, batch, true), stepsPerEpoch ?? Infinity);
  const steps = perEpoch * epochs;
  if (steps === 0) return []; // that is an error
  const found: ScheduleWarning[] = [];
  const fifth = Math.max(1, Math.floor(images * MOST_IN_BATCH));
  const smaller = Math.min(batch, 2 ** Math.floor(Math.log2(fifth)));
  if (batch > fifth)
    found.push({
      code: 'W_TRAIN_BATCH',
      option: 'train.batch',
      message: `a batch of ${batch} is more than a fifth of the ${images} images of an epoch${ofEach}, so that its steps are few and alike`,
      fix: `set train.batch: ${smaller}`,
    });
  if (steps < LEAST_STEPS) {
    const isPlanned = time !== null;
    const enough = Math.ceil(LEAST_STEPS / Math.min(countBatches(images, smaller, true), stepsPerEpoch ?? Infinity));
    const wanted = smaller < batch ? `train.epochs: ${enough} with that batch` : `train.epochs: ${enough}`;
    found.push({
      code: 'W_TRAIN_STEPS',
      option: isPlanned ? 'train.time' : 'train.epochs',
      message: `the run has ${steps} steps in all (${epochs} epochs of ${perEpoch}), and a model rarely learns much in fewer than ${LEAST_STEPS}`,
      fix: isPlanned
        ? `raise train.time (${time}), or lower data.size; --extend adds epochs to a finished run`
        : `set ${wanted}, or train.time; --extend adds epochs to a finished run`,
    });
  }
  const shorter = shorterWarmup(train, perEpoch);
  if (shorter !== undefined)
    found.push({
      code: 'W_TRAIN_WARMUP',
      option: warmup.steps === null ? 'train.warmup.epochs' : 'train.warmup.steps',
      message: `the warm-up takes ${warmupSteps(warmup, perEpoch)} of the ${steps} steps, so the learning rate hardly reaches its value`,
      fix: `set train.warmup.steps: ${shorter}`,
    });
  return found;
}
