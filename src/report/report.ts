import type { Score } from '../tasks/evaluator.js';
import type { Section } from '../tasks/section.js';
import type { DroppedByPart, FreezeReceipt, MetricsLine } from '../train/log/record.js';
import type { BestEpoch } from './charts.js';

/** metrics.json. */
export interface Metrics<S extends Score = Score> {
  readonly task: string;
  readonly metric: S;
  /** Where classes were added: the scores of those known before, by the old model and by the new one. */
  readonly oldClasses?: { readonly before: S; readonly after: S };
  readonly loss: { readonly train: number; readonly val: number };
  readonly epochs: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Trainable or not, counted over the model as it is used. */
  readonly params: number;
  /** Multiply-adds of one image. */
  readonly macs: number;
  readonly engine: string;
}

/** Everything the report says. */
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
  /** The resolved recipe, YAML. */
  readonly recipeText: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly dropped: DroppedByPart;
  readonly freeze?: FreezeReceipt | undefined;
  /** Speed-ups, warnings: a sentence each. */
  readonly notes: readonly string[];
  /** What the task shows; the first stands above the curves. */
  readonly sections: readonly Section[];
}

/** The numbers that a title has room for. */
export const leading = (numbers: Report['numbers']) => Object.entries(numbers).slice(0, 2);
