import { FinetuneError, type Problem } from '../../errors.js';
import type { Findings } from '../findings.js';
import type { PartName } from '../sample.js';

/** `error`: training would refuse the data. `warning`: it would run, and probably not do what was meant. `note`: legal, worth knowing. */
export type Level = 'error' | 'warning' | 'note';

/** One thing that the data doctor has to say. */
export interface Remark extends Omit<Problem, 'code'> {
  readonly level: Level;
  /** E_… is what training would throw (or, as a warning, drop and count); W_… only the doctor knows. */
  readonly code: `${'E' | 'W'}_${string}`;
  readonly part?: PartName;
}

export type Say = (remark: Remark) => void;

/** Findings of one part that become remarks instead of being thrown. */
export function remarkFindings(part: PartName, say: Say, inspect: NonNullable<Findings['inspect']>): Findings {
  const dropped: Record<string, number> = {};
  const problems: Problem[] = [];
  const findings: Findings = {
    problem: (problem) => {
      problems.push(problem);
      say({ level: 'error', part, ...problem });
    },
    count: (reason, note) => {
      dropped[reason] = (dropped[reason] ?? 0) + 1;
      if (!note) return;
      const { message, where } = note();
      say({ level: 'warning', part, code: 'W_DATA_MENDED', message: `${reason}: ${message}`, ...(where && { where }) });
    },
    report: (policy, reason, problem) => {
      if (policy === 'error') {
        findings.problem(problem());
        return;
      }
      findings.count(reason);
      say({ level: 'warning', part, ...problem(), fix: 'left out, as the recipe says' });
    },
    absorb: (error) => {
      if (!(error instanceof FinetuneError)) throw error;
      for (const problem of error.problems) findings.problem(problem);
    },
    problems: () => problems,
    throwIfAny: () => undefined,
    dropped,
    inspect,
  };
  return findings;
}
