/** A place in a file a person can open: line and column count from 1. */
export interface Where {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** One thing that is wrong: what, where, how to fix it, and a code that stays the same between versions. */
export interface Problem {
  readonly code: `E_${string}`;
  readonly message: string;
  readonly where?: Where;
  /** The option of the recipe it is about, dotted, until its place is looked up. */
  readonly option?: string;
  /** What to do about it, as an instruction. */
  readonly fix?: string;
  /** The source line and a caret under the culprit, ready to print. */
  readonly excerpt?: string;
}

/** Everything this package throws on purpose. `problems` holds all that was found at once; the message lists them. */
export class FinetuneError extends Error {
  override readonly name = 'FinetuneError';
  readonly code: Problem['code'];
  readonly problems: readonly Problem[];

  constructor(problem: Problem | readonly Problem[], options?: ErrorOptions) {
    const problems: readonly Problem[] = Array.isArray(problem) ? problem : [problem as Problem];
    super(problems.map(formatProblem).join('\n'), options);
    this.code = problems[0]?.code ?? 'E_INTERNAL';
    this.problems = problems;
  }
}

/** `file:line:column  message   CODE`, then the excerpt and the fix, each on a line of its own. */
export function formatProblem({ code, message, where, fix, excerpt }: Problem): string {
  const place = [where?.file, where?.line, where?.column].filter((part) => part !== undefined).join(':');
  const head = `${place ? `${place}  ` : ''}${message}   ${code}`;
  return [head, excerpt, fix && `  ${fix}`].filter(Boolean).join('\n');
}

/** Guards what only a mistake of ours can break; the text says so. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new FinetuneError({ code: 'E_INTERNAL', message: `internal: ${message}` });
}
