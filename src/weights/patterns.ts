/** Whether a parameter's name fits one of the patterns: `*` stands for anything, dots included ("backbone.*", "*.bn?.*"
 *  with `?` for one character); everything else for itself. */
export function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => toRegExp(pattern).test(name));
}

const toRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
    's',
  );
