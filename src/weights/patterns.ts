/** Whether a parameter's name matches one of the patterns. `*` stands for any text, dots included ("backbone.*"), `?`
 *  for one character ("*.bn?.*"). */
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
