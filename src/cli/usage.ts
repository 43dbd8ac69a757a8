/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The exit code of a worker that ends because another one was lost. */
export const LOST = 3;

/** The command has printed everything: all that is left is the exit code. */
export class Reported extends Error {
  constructor(readonly exitCode: number) {
    super();
  }
}

/** The command did its work and reported it, and the answer is no: exit code 1. */
export class NegativeResult extends Reported {
  constructor() {
    super(1);
  }
}

/** The value of a flag that must be given. */
export function needed(flag: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`${flag} is missing`);
  return value;
}

export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} is one of ${allowed.join(', ')}; got "${value}"`);
}

export function wholeNumber(flag: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new UsageError(`${flag} takes a whole number, at least ${least}; got "${String(value)}"`);
}

export function numberWithin(flag: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new UsageError(`${flag} takes a number from ${least} to ${most}; got "${String(value)}"`);
}
