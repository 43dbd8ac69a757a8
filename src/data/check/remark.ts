import { FinetuneError, type Problem } from '../../errors.js';
import type { Findings } from '../findings.js';
import type { PartName } from '../sample.js';

/** `error`: training would refuse the data. `warning`: training would run, but probably not as intended. `note`: legal,
 *  but worth knowing. */
export type Level = 'error' | 'warning' | 'note';

/** One result of the data check. */
export interface Remark extends Omit<Problem, 'code'> {
  readonly level: Level;
  /** E_… is what training would throw (or, as a warning, drop and count); W_… is found by the data check alone. */
  readonly code: `${'E' | 'W'}_${string}`;
  readonly part?: PartName;
}

export type Say = (remark: Remark) => void;

/** Findings of one part that are reported to `say` instead of being thrown. */
export function remarkFindings(part: PartName, say: Say, inspect: NonNullable<Findings['inspect']>): Findings {
  const dropped: Record<string, number> = {};
  const problems: Problem[] = [];
  const findings: Findings = {
    problem: (problem) => {
      problems.push(problem);
      say({ level: 'error', part, ...problem });
    },
    count: (reason, note, times = 1) => {
      dropped[reason] = (dropped[reason] ?? 0) + times;
      if (!note) return;
      const { message, where } = note();
      const text = `${reason}: ${message}${times > 1 ? ` (${times} in all)` : ''}`;
      say({ level: 'warning', part, code: 'W_DATA_MENDED', message: text, ...(where && { where }) });
    },
    report: (policy, reason, problem, times) => {
      if (policy === 'error') {
        findings.problem(problem());
        return;
      }
      findings.count(reason, undefined, times);
      say({ level: 'warning', part, ...problem(), fix: 'it is left out, as the recipe says' });
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
