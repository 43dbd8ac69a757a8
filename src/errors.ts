import { maskSecrets } from './maskSecrets.js';
import { printable } from './printable.js';

/** A place in a file. Lines and columns count from 1. */
export interface Where {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** One thing that is wrong. */
export interface Problem {
  /** Stays the same between versions. */
  readonly code: `E_${string}`;
  readonly message: string;
  readonly where?: Where;
  /** Dotted path of the option of a recipe that the problem is about: its place is looked up (recipe/places.ts). */
  readonly option?: string;
  /** How to fix it, as an instruction. */
  readonly fix?: string;
  /** The line of the file with carets under the faulty part, ready to print. */
  readonly excerpt?: string;
}

/** Most problems that a message lists. */
export const MOST_LISTED = 100;
/** Most characters of a value that a message quotes, and of a message. */
const [MOST_QUOTED, MOST_SAID] = [200, 2000];

/** The beginning of a text that stands in somebody's file, for a message. */
export const cut = (text: string, most = MOST_QUOTED): string =>
  text.length > most ? `${text.slice(0, most)}…` : text;

/** A value of somebody's file, for a message: as JSON, or if it is nested, by its kind. */
export function quoted(value: unknown, most = MOST_QUOTED): string {
  if (value === undefined) return 'nothing';
  const isObject = (inner: unknown): boolean => typeof inner === 'object' && inner !== null;
  const isNested = isObject(value) && Object.values(value as object).some(isObject);
  if (isNested) return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
  return cut(JSON.stringify(value), most);
}

/** The error that this package throws. It holds every problem that was found at once, and its message lists the first of
 *  them. Secrets in the texts are masked. */
export class FinetuneError extends Error {
  override readonly name = 'FinetuneError';
  readonly code: Problem['code'];
  readonly problems: readonly Problem[];

  constructor(problem: Problem | readonly Problem[], options?: ErrorOptions) {
    const given: readonly Problem[] = Array.isArray(problem) ? problem : [problem as Problem];
    const problems = given.map(withoutSecrets);
    const listed = problems.slice(0, MOST_LISTED).map(formatProblem);
    if (problems.length > MOST_LISTED) listed.push(`… and ${problems.length - MOST_LISTED} more`);
    super(listed.join('\n'), options);
    this.code = problems[0]?.code ?? 'E_INTERNAL';
    this.problems = problems;
  }
}

const withoutSecrets = ({ message, fix, excerpt, ...rest }: Problem): Problem => ({
  ...rest,
  message: maskSecrets(message),
  ...(fix !== undefined && { fix: maskSecrets(fix) }),
  ...(excerpt !== undefined && { excerpt: maskSecrets(excerpt, { sameLength: true }) }),
});

/** `file:line:column  message   CODE`, then the excerpt and the fix, each on a line of its own; without control
 *  characters. */
export function formatProblem({
  code,
  message,
  where,
  fix,
  excerpt,
}: Omit<Problem, 'code'> & { readonly code: string }): string {
  const place = [where?.file, where?.line, where?.column].filter((part) => part !== undefined).join(':');
  const head = `${place ? `${place}  ` : ''}${cut(message, MOST_SAID)}   ${code}`;
  return printable([head, excerpt, fix && `  ${cut(fix, MOST_SAID)}`].filter(Boolean).join('\n'));
}

/** Throws an error marked as internal, which only a bug of this package can cause, unless the condition holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new FinetuneError({ code: 'E_INTERNAL', message: `internal: ${message}` });
}
