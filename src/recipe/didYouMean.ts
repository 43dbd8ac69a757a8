import { distance } from 'fastest-levenshtein';

/** The candidate nearest to what was typed, if it is near enough to be meant: a third of the letters may differ.
 *  Case, `-` and `_` do not count (`weight_decay` is `weightDecay`), and neither does an ending cut short. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');
  const wanted = plain(typed);
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(wanted, plain(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  if (best && best.edits <= Math.max(1, Math.floor(wanted.length / 3))) return best.candidate;
  return wanted.length < 3 ? undefined : candidates.find((candidate) => plain(candidate).startsWith(wanted));
}

/** `did you mean "epochs"?`, or nothing. */
export function didYouMean(typed: string, candidates: readonly string[]): string | undefined {
  const meant = nearest(typed, candidates);
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
}
