import type { Sample } from '../data/sample.js';
import type { Section } from './section.js';
import type { Outputs } from './task.js';

/** What `finetune score --json` prints and metrics.json holds; `metric` tells the kinds apart. */
export interface Score {
  readonly metric: string;
}

/** Gathers what a model says about one part of the data, batch by batch, and scores it in the end. */
export interface Evaluator<S extends Score = Score> {
  /** `outputs` of a batch whose first places hold these samples. */
  add(outputs: Outputs, samples: readonly Sample[]): void;
  finish(): Scored<S>;
}

export interface Scored<S extends Score = Score> {
  readonly metric: S;
  /** What is logged of an epoch, and leads the report: fractions by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** predictions.json: plain data. */
  readonly predictions: unknown;
  /** What the report shows besides: made when asked for, which an epoch's evaluation does not. */
  sections(options: SectionOptions): readonly Section[];
}

export interface SectionOptions {
  /** Most images to show, worst first. */
  readonly images: number;
}
