import type { Augment } from '../data/pipeline/augment/kinds.js';
import type { ImageOptions } from '../data/pipeline/loader.js';
import type { OwnShare } from '../data/pipeline/share.js';
import type { OptimizerOptions } from '../graph/update.js';
import type { EarlyStop } from './best.js';
import type { EmaOptions } from './ema.js';
import type { FreezeOptions } from './freeze.js';
import type { GroupOptions } from './groups.js';
import type { ScheduleShape } from './schedule.js';

/** Everything that decides how a model is trained, apart from the model and its data. */
export interface TrainOptions extends ImageOptions {
  readonly epochs: number;
  /** Most steps of an epoch; null for as many as the images fill. */
  readonly stepsPerEpoch: number | null;
  /** Images of a batch. */
  readonly batch: number;
  /** Images per call of the session's program `evaluate`. */
  readonly evaluateBatch: number;
  readonly optimizer: OptimizerOptions & Pick<GroupOptions, 'weightDecay' | 'decayOn'>;
  /** The parts of each batch that this process trains on. `batch` is the number of images of a part. */
  readonly share: OwnShare;
  /** Whether BatchNorm uses the statistics of the parts of all workers. */
  readonly syncBatchNorm: boolean;
  /** Batches per step. */
  readonly accumulate: number;
  /** `value` is meant for `perBatch` images and is scaled to the number of images of a step. */
  readonly lr: { readonly value: number; readonly perBatch: number };
  /** `steps` replaces `epochs` unless it is null. */
  readonly warmup: { readonly epochs: number; readonly steps: number | null };
  readonly schedule: ScheduleShape;
  readonly backboneLr: number;
  readonly layerDecay: number;
  readonly groups: GroupOptions['groups'];
  readonly clipNorm: number | null;
  readonly clipValue: number | null;
  readonly ema: EmaOptions | false;
  readonly freeze: FreezeOptions;
  readonly cache: 'none' | 'memory' | 'disk';
  /** MiB. */
  readonly cacheLimit: number;
  /** A number of steps, or a duration such as 5m. */
  readonly checkpointEvery: number | string;
  /** Epochs between two evaluations. */
  readonly evaluateEvery: number;
  readonly earlyStop: EarlyStop | false;
  /** Steps per line of metrics.jsonl. */
  readonly logEvery: number;
  readonly seed: number;
  /** Images of categories that fewer than this share of the images show are repeated; null shows every image once an
   *  epoch. */
  readonly repeatThreshold: number | null;
  readonly augment: Augment | false;
  /** The run directory. */
  readonly directory: string;
  /** Identifies the recipe in the checkpoints. */
  readonly recipe: string;
  /** Continue from the directory's last checkpoint. */
  readonly resume?: boolean | undefined;
  /** Stop after so many epochs in all, with everything saved; default: all of the run's. */
  readonly until?: number | undefined;
}
