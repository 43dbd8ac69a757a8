import { z } from 'zod';
import { initialPlateau } from '../schedule.js';

export const stateSchema = z.object({
  /** Steps done. */
  step: z.number(),
  /** The epoch that the next step belongs to, counted from 0, and the number of its batches that are done. */
  epoch: z.number(),
  batch: z.number(),
  /** Sum of the losses of the epoch's steps so far. */
  lossSum: z.number(),
  /** Training time so far, in seconds. */
  seconds: z.number(),
  /** Counted from 1; 0 until the first evaluation. */
  bestEpoch: z.number(),
  bestScore: z.number(),
  /** How many entries of freeze.unfreeze have taken effect: the index of the current phase. */
  thawed: z.number().default(0),
  /** Updates of the moving average of the weights. */
  averaged: z.number().default(0),
  /** State of the schedule `plateau`. */
  plateau: z.object({ since: z.number(), cuts: z.number() }).default({ since: 0, cuts: 0 }),
  /** State of early stopping: the last score that beat the ones before by enough, and the evaluations since then. */
  waiting: z.object({ mark: z.number().nullable(), since: z.number() }).default({ mark: null, since: 0 }),
  /** Parts of each batch: as many as processes began the run. */
  workers: z.number().default(1),
  /** Identifies the recipe: a run resumes with the recipe it was started with. */
  recipe: z.string(),
});

/** How far a run has come. All randomness is a function of seed, epoch and index, so resuming needs nothing else. */
export type RunState = z.infer<typeof stateSchema>;

/** The state before the first step. */
export const firstState = (recipe: string, workers = 1): RunState => ({
  step: 0,
  epoch: 0,
  batch: 0,
  lossSum: 0,
  seconds: 0,
  bestEpoch: 0,
  bestScore: 0,
  thawed: 0,
  averaged: 0,
  plateau: initialPlateau,
  waiting: { mark: null, since: 0 },
  workers,
  recipe,
});
