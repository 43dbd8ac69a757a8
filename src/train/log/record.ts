import { z } from 'zod';
import type { Dropped } from '../../data/sample.js';

/** The evaluation after an epoch: the score that selects the best epoch, higher is better, and numbers for the log. */
export interface EpochScore {
  readonly score: number;
  readonly loss: number;
  readonly metric: Readonly<Record<string, number>>;
}

/** One line of metrics.jsonl for a group of steps: means over the group. */
export interface StepLine {
  readonly type: 'step';
  readonly step: number;
  /** Epochs done, with their fraction: 2.5 is half-way through the third. */
  readonly epoch: number;
  readonly loss: number;
  /** The parts that the loss is the sum of, by name: {box: 0.8, class: 1.9}. */
  readonly parts: Readonly<Record<string, number>>;
  /** The schedule's learning rate at the last step of the group, before the factors of parameter groups. */
  readonly lr: number;
  readonly gradientNorm: number;
  readonly imagesPerSecond: number;
  /** Share of the time that the steps waited for data, 0…1. */
  readonly waiting: number;
}

/** One line of metrics.jsonl at the end of an epoch; epochs count from 1. */
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

/** Numbers that are not finite are null in JSON. */
const numbers = z.record(z.string(), z.number().nullable());
const lineSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('step'), step: z.number(), epoch: z.number(), parts: numbers }),
  z.looseObject({ type: z.literal('epoch'), step: z.number(), epoch: z.number(), metric: numbers.optional() }),
]);

/** Whether a line of metrics.jsonl is one that a run has written. */
export const isMetricsLine = (content: unknown): content is MetricsLine => lineSchema.safeParse(content).success;

/** Evidence that frozen parameters did not change: a hash over the bytes of every frozen tensor, BatchNorm statistics
 *  included. */
export interface FreezeReceipt {
  readonly tensors: number;
  readonly values: number;
  readonly before: string;
  readonly after: string;
  /** The engine's constants, which replace frozen layers that were folded: equal to those derived from the last
   *  checkpoint. */
  readonly engine: { readonly constants: number; readonly sha256: string };
  readonly names: readonly string[];
}

/** Images and objects that were left out of each part of the data. */
export type DroppedByPart = Readonly<Record<string, Dropped>>;
