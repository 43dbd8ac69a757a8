import type { Dropped } from '../data/sample.js';

/** One line of metrics.jsonl for a group of steps: means over the group. */
export interface StepLine {
  readonly type: 'step';
  readonly step: number;
  /** Epochs done, with fraction: 2.5 is half-way through the third. */
  readonly epoch: number;
  readonly loss: number;
  /** The loss's addends by name: {box: 0.8, class: 1.9}. */
  readonly parts: Readonly<Record<string, number>>;
  /** Learning rate of the head's group at the group's last step. */
  readonly lr: number;
  readonly gradientNorm: number;
  readonly imagesPerSecond: number;
  /** Share of the time the step waited for data, 0…1. */
  readonly waiting: number;
}

/** One line of metrics.jsonl at the end of an epoch (epoch counts from 1). */
export interface EpochLine {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly step: number;
  readonly trainLoss: number;
  readonly valLoss: number;
  /** Absent in epochs that were not evaluated. */
  readonly metric?: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export type MetricsLine = StepLine | EpochLine;

/** That what was frozen stayed frozen: a hash over the bytes of every frozen tensor, BatchNorm statistics included. */
export interface FreezeReceipt {
  readonly tensors: number;
  readonly values: number;
  readonly before: string;
  readonly after: string;
  /** What the engine computes with where frozen layers were folded: constants, equal to those that follow from the last checkpoint. */
  readonly engine: { readonly constants: number; readonly sha256: string };
  readonly names: readonly string[];
}

/** What was left out of each part of the data. */
export type DroppedByPart = Readonly<Record<string, Dropped>>;
