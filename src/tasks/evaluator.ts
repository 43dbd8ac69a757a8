import type { Sample } from '../data/sample.js';
import type { Calibration } from './calibration.js';
import type { Outputs } from './network.js';
import type { Section } from './section.js';

/** What `finetune score --json` prints and metrics.json holds. `metric` names the kind of score. */
export interface Score {
  readonly metric: string;
}

/** Collects a model's predictions for one part of the data, batch by batch, and scores them at the end. */
export interface Evaluator<S extends Score = Score> {
  /** Reads the outputs of a batch whose first places hold these samples: plain data for each of them, which another process
   *  may score. */
  read(outputs: Outputs, samples: readonly Sample[]): readonly unknown[];
  /** Takes what was read of the next samples of the part. */
  add(read: readonly unknown[]): void;
  finish(): Scored<S>;
}

export interface Scored<S extends Score = Score> {
  readonly metric: S;
  /** Fractions by name: an epoch logs them, and the report begins with them. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Plain data, written to predictions.json. */
  readonly predictions: unknown;
  /** The other sections of the report. They are made on request, since the evaluation of an epoch does not need
   *  them. */
  sections(options: SectionOptions): readonly Section[];
  /** The threshold on scores with the best F1; undefined if nothing was found rightly. Left out by tasks without
   *  detections. */
  readonly operatingPoint?: () => OperatingPoint | undefined;
  /** How reliable the scores are; undefined if nothing was predicted. */
  readonly calibration: () => Calibration | undefined;
}

/** The least score of a detection with which a model finds most and is wrong least. */
export interface OperatingPoint {
  readonly scoreThreshold: number;
  /** Harmonic mean of precision and recall at this threshold. */
  readonly f1: number;
}

export interface SectionOptions {
  /** Most images to show, worst first. */
  readonly images: number;
}
