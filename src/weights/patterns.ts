import { distance } from 'fastest-levenshtein';

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

/** The candidates that may have been meant, nearest first: at most a third of the name is different. */
function nearNames(name: string, candidates: Iterable<string>, count = 3): string[] {
  const limit = Math.max(2, Math.ceil(name.length / 3));
  return [...candidates]
    .map((candidate) => ({ candidate, away: distance(name, candidate) }))
    .filter(({ away }) => away > 0 && away <= limit)
    .sort((a, b) => a.away - b.away)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** `did you mean "a" or "b"?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = nearNames(name, candidates).map((candidate) => `"${candidate}"`);
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined;
}
