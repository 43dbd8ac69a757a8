import { FinetuneError, type Problem } from '../errors.js';
import type { Dropped } from './sample.js';

/** What the reading of a data set came upon: problems, thrown all at once, and counts for the report. */
export interface Findings {
  problem(problem: Problem): void;
  /** One more thing left out or mended, under the reason that the report shows. */
  count(reason: string): void;
  /** A problem, or with `policy: 'drop'` a count. */
  report(policy: 'error' | 'drop', reason: string, problem: () => Problem): void;
  /** Throws a FinetuneError with the problems so far, if there are any. */
  throwIfAny(): void;
  readonly dropped: Dropped;
}

/** A broken export can have a problem per object; a screenful says it as well. */
const MOST_PROBLEMS = 20;

export function createFindings(): Findings {
  const problems: Problem[] = [];
  const dropped: Record<string, number> = {};
  let total = 0;
  const findings: Findings = {
    problem: (problem) => {
      total++;
      if (problems.length < MOST_PROBLEMS) problems.push(problem);
    },
    count: (reason) => (dropped[reason] = (dropped[reason] ?? 0) + 1),
    report: (policy, reason, problem) => {
      if (policy === 'drop') findings.count(reason);
      else findings.problem(problem());
    },
    throwIfAny: () => {
      const [first] = problems;
      if (!first) return;
      const rest = total - problems.length;
      throw new FinetuneError(
        rest > 0 ? [...problems, { code: first.code, message: `… and ${rest} more problems like these` }] : problems,
      );
    },
    dropped,
  };
  return findings;
}
