import { basename } from 'node:path';
import { z } from 'zod';
import { readOwnJson } from '../files/readOwnJson.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { findCheckpoint } from '../train/checkpoint/checkpoint.js';
import { nextTrial, rungsOf } from './halving.js';
import type { Member } from './sweep.js';

/** A setting that was not trained to the end. */
export interface StoppedTrial {
  readonly set: readonly string[];
  /** Epochs that it was trained. */
  readonly epochs: number;
  /** Its best validation score so far. */
  readonly score: number;
}

export interface HalvingOptions {
  /** The file that keeps the scores, so that a sweep that was stopped goes on. */
  readonly file: string;
  readonly train: { readonly epochs: number; readonly evaluateEvery: number };
  /** Runs at a time. */
  readonly parallel: number;
  readonly signal: AbortSignal;
}

const scoresSchema = z.record(z.string(), z.array(z.number()));

/** Trains the members of a sweep by successive halving (halving.ts). `train` trains a member until an epoch, or to the end,
 *  and returns whether it got there. Returns the members that were stopped early, the longest trained and best first. */
export async function trainByHalves<M extends Member>(
  members: readonly M[],
  train: (member: M, until?: number) => Promise<boolean>,
  { file, train: length, parallel, signal }: HalvingOptions,
): Promise<StoppedTrial[]> {
  const rungs = rungsOf(length);
  const parse = (content: unknown) => scoresSchema.parse(content);
  const kept =
    (await readOwnJson(file, { parse, fix: 'remove the file; the runs begin with their first rung again' })) ?? {};
  const trials = members.map(({ set, directory }) => ({
    set,
    name: basename(directory),
    scores: kept[basename(directory)] ?? [],
    isRunning: false,
    hasFailed: false,
  }));
  const running = new Set<Promise<void>>();

  const climb = async (index: number, rung: number): Promise<void> => {
    const trial = trials[index]!;
    trial.isRunning = true;
    try {
      const isLast = rung === rungs.length - 1;
      if (await train(members[index]!, isLast ? undefined : rungs[rung])) {
        const score = (await findCheckpoint(members[index]!.directory))?.state.bestScore;
        trial.scores = [...trial.scores, score ?? -Number.MAX_VALUE];
        await writeAtomically(file, JSON.stringify(Object.fromEntries(trials.map((one) => [one.name, one.scores]))));
      } else trial.hasFailed = true;
    } finally {
      trial.isRunning = false;
    }
  };
  for (;;) {
    const next = signal.aborted || running.size >= parallel ? undefined : nextTrial(trials, rungs.length);
    if (next) {
      const run = climb(next.index, next.rung).finally(() => running.delete(run));
      running.add(run);
      continue;
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return trials
    .filter(({ scores, hasFailed }) => scores.length > 0 && scores.length < rungs.length && !hasFailed)
    .map(({ set, scores }) => ({ set, epochs: rungs[scores.length - 1]!, score: scores.at(-1)! }))
    .sort((one, other) => other.epochs - one.epochs || other.score - one.score);
}
