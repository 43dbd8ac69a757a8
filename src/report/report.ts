import type { Calibration } from '../tasks/calibration.js';
import type { OperatingPoint, Score } from '../tasks/evaluator.js';
import type { Section } from '../tasks/section.js';
import type { DroppedByPart, FreezeReceipt, MetricsLine } from '../train/log/record.js';
import type { BestEpoch } from './charts.js';
import type { BenchReport } from './speed.js';

/** metrics.json. */
export interface Metrics<S extends Score = Score> {
  readonly task: string;
  readonly metric: S;
  /** sha256 of checkpoints/best.safetensors, which was measured. */
  readonly weightsSha256: string;
  /** The part that `metric` is of. */
  readonly part: 'val' | 'test';
  /** The number on the validation part by which the epoch was chosen. */
  readonly best: BestEpoch;
  /** The threshold on scores with the best F1 on the validation part, where the task has one: what `predict` shows unless
   *  told otherwise. */
  readonly operatingPoint?: OperatingPoint;
  /** How reliable scores are on the validation part, and what each threshold on them gives. */
  readonly calibration?: Calibration;
  /** Set if classes were added: the scores of the old classes by the old model and by the new one. */
  readonly oldClasses?: { readonly before: S; readonly after: S };
  readonly loss: { readonly train: number; readonly val: number };
  readonly epochs: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Number of parameters, trainable or not, of the model as it is used. */
  readonly params: number;
  /** Multiply-adds for one image. */
  readonly macs: number;
  readonly engine: string;
}

/** The contents of the report. */
export interface Report {
  readonly title: string;
  /** The score in one sentence. */
  readonly headline: string;
  readonly metrics: Metrics;
  /** The score's numbers by name. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly lines: readonly MetricsLine[];
  readonly best?: BestEpoch | undefined;
  /** How often each category occurs, by its name. */
  readonly counts: Readonly<Record<string, { readonly train: number; readonly val: number }>>;
  /** The resolved recipe, YAML, as it may be published. */
  readonly recipeText: string;
  /** Folders of the data, to which the paths in the report are relative. */
  readonly roots?: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly dropped: DroppedByPart;
  readonly freeze?: FreezeReceipt | undefined;
  /** Remarks such as speed-ups and warnings, a sentence each. */
  readonly notes: readonly string[];
  /** The task's sections; the first stands above the curves. */
  readonly sections: readonly Section[];
  /** How fast the model is, if `finetune bench` has measured it. */
  readonly speed?: BenchReport | undefined;
}

/** The first two numbers of a score, which fit into a title. */
export const leading = (numbers: Report['numbers']) => Object.entries(numbers).slice(0, 2);
