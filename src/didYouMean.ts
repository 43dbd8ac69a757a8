import { distance } from 'fastest-levenshtein';

/** Most letters of a name that was mistyped: the distance takes a time that grows with the square of them. */
const LONGEST = 100;

/** The candidates that a person may have meant, nearest first: up to about a third of the letters may differ, or all
 *  of them may stand in another order. Case, `-` and `_` are ignored (`weight_decay` matches `weightDecay`). If none
 *  is near, a candidate that begins with what was typed is taken. */
function nearNames(typed: string, candidates: Iterable<string>): string[] {
  if (typed.length > LONGEST) return [];
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');
  const wanted = plain(typed);
  const most = wanted.length < 6 ? Math.floor(wanted.length / 3) || 1 : Math.max(2, Math.ceil(wanted.length / 3));
  const others = [...candidates].filter((candidate) => candidate !== typed);
  const near = others
    .map((candidate) => ({ candidate, edits: edits(wanted, plain(candidate)) }))
    .filter((entry) => entry.edits <= most)
    .sort((a, b) => a.edits - b.edits)
    .map(({ candidate }) => candidate);
  if (near.length > 0 || wanted.length < 3) return near;
  return others.filter((candidate) => plain(candidate).startsWith(wanted)).slice(0, 1);
}

/** The edit distance. Letters in another order, such as "nmp" for "npm", count as one edit. */
function edits(typed: string, candidate: string): number {
  const sorted = (text: string): string => Array.from(text).sort().join('');
  return Math.min(distance(typed, candidate), sorted(typed) === sorted(candidate) ? 1 : Infinity);
}

/** The candidate nearest to what was typed, if it is near enough. */
export const nearest = (typed: string, candidates: Iterable<string>): string | undefined =>
  nearNames(typed, candidates)[0];

/** The hint `did you mean "epochs"?` with at most `count` names; undefined if no candidate is near enough. */
export function didYouMean(typed: string, candidates: Iterable<string>, count = 1): string | undefined {
  const near = nearNames(typed, candidates).slice(0, count);
  return near.length > 0 ? `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?` : undefined;
}
