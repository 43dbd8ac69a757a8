import { parseDocument } from 'yaml';

/** A value of a recipe and the reason for it. */
export interface Setting {
  /** Dotted path: train.epochs. */
  readonly path: string;
  readonly value: unknown;
  /** A sentence or less, for the comment behind the line. */
  readonly why?: string | undefined;
}

/** The settings with those of the command line, `key=value`, in the place of others of the same option. */
export function withSet(settings: readonly Setting[], set: readonly string[]): Setting[] {
  return set.reduce<Setting[]>(
    (all, one) => {
      const path = one.slice(0, one.indexOf('='));
      const value: unknown = parseDocument(one.slice(path.length + 1)).toJS();
      const others = all.filter((other) => other.path !== path && !other.path.startsWith(`${path}.`));
      return [...others, setting(path, value, 'set on the command line')];
    },
    [...settings],
  );
}

export const setting = (path: string, value: unknown, why?: string): Setting => ({ path, value, why });
