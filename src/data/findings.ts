import { FinetuneError, type Problem } from '../errors.js';
import type { RawImage, RawObject } from './rawDataset.js';
import type { Dropped } from './sample.js';

/** Collects what is found while a part is read: problems, which are thrown together, and counts for the report. */
export interface Findings {
  problem(problem: Problem): void;
  /** Counts one more thing, or `times` more, that was left out or corrected, under the reason that the report shows. The
   *  data check calls `note` for details. */
  count(reason: string, note?: () => Note, times?: number): void;
  /** Adds a problem, or with `policy: 'drop'` counts it, as `times` things. */
  report(policy: 'error' | 'drop', reason: string, problem: () => Problem, times?: number): void;
  /** Adds the problems of a FinetuneError; rethrows any other error. */
  absorb(error: unknown): void;
  /** The problems so far. */
  problems(): readonly Problem[];
  /** Throws a FinetuneError with the problems so far, if there are any. */
  throwIfAny(): void;
  readonly dropped: Dropped;
  /** Whether readers correct what is certain and count it, where it would be a problem or dropped (default: false). */
  readonly mends?: boolean;
  /** Called for each image with the objects to learn, while their places in the file are still known. */
  readonly inspect?: (image: RawImage, objects: readonly RawObject[]) => void;
}

/** What was left out or corrected, and where. */
export type Note = Pick<Problem, 'message' | 'where'>;

/** A broken export can have a problem for every object; only the first are listed. */
const MOST_PROBLEMS = 20;

export function createFindings(): Findings {
  const kept: Problem[] = [];
  const dropped: Record<string, number> = {};
  let total = 0;
  const findings: Findings = {
    problem: (problem) => {
      total++;
      if (kept.length < MOST_PROBLEMS) kept.push(problem);
    },
    count: (reason, _note, times = 1) => (dropped[reason] = (dropped[reason] ?? 0) + times),
    report: (policy, reason, problem, times) => {
      if (policy === 'drop') findings.count(reason, undefined, times);
      else findings.problem(problem());
    },
    absorb: (error) => {
      if (!(error instanceof FinetuneError)) throw error;
      for (const problem of error.problems) findings.problem(problem);
    },
    problems: () => {
      const [first] = kept;
      const rest = total - kept.length;
      return first && rest > 0
        ? [...kept, { code: first.code, message: `… and ${rest} more problems like these` }]
        : kept;
    },
    throwIfAny: () => {
      const problems = findings.problems();
      if (problems.length > 0) throw new FinetuneError(problems);
    },
    dropped,
  };
  return findings;
}
