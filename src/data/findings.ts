import { FinetuneError, type Problem } from '../errors.js';
import type { RawImage, RawObject } from './rawDataset.js';
import type { Dropped } from './sample.js';

/** What the reading of a part came upon: problems, thrown all at once, and counts for the report. */
export interface Findings {
  problem(problem: Problem): void;
  /** One more thing left out or mended, under the reason that the report shows; `note` tells which, to whoever asks. */
  count(reason: string, note?: () => Note): void;
  /** A problem, or with `policy: 'drop'` a count. */
  report(policy: 'error' | 'drop', reason: string, problem: () => Problem): void;
  /** Takes the problems of an error instead of throwing it; another kind of error is thrown on. */
  absorb(error: unknown): void;
  /** The problems so far. */
  problems(): readonly Problem[];
  /** Throws a FinetuneError with the problems so far, if there are any. */
  throwIfAny(): void;
  readonly dropped: Dropped;
  /** Called for each image with those of its objects that are to be learned, while their places in the file are still known. */
  readonly inspect?: (image: RawImage, objects: readonly RawObject[]) => void;
}

/** Where something was left out or mended, and what it was. */
export type Note = Pick<Problem, 'message' | 'where'>;

/** A broken export can have a problem per object; a screenful says it as well. */
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
    count: (reason) => (dropped[reason] = (dropped[reason] ?? 0) + 1),
    report: (policy, reason, problem) => {
      if (policy === 'drop') findings.count(reason);
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
