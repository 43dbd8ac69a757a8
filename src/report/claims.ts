import { learnedClasses } from '../data/countObjects.js';
import { describeOverlap, type Overlap } from '../data/overlap.js';
import type { Dataset } from '../data/sample.js';
import { isMeasured, unmeasured } from '../evaluate/rank.js';
import type { BestEpoch } from './charts.js';

/** The parts of a data set in the words of a message. */
export const PARTS = {
  train: 'the training part',
  val: 'the validation part',
  test: 'the test part',
  old: 'the old images to score',
} as const;

/** Says how the epoch was chosen, and what the score therefore claims: one on images that the model learned from, or by
 *  which the epoch was chosen, is too good. That is told by the files, not by the names of the parts. */
export function scoreClaims(
  { epoch, name, value }: BestEpoch,
  hasTest: boolean,
  overlaps: readonly Overlap[],
): string[] {
  const shared = overlaps.filter(({ part }) => part === PARTS.test).map(({ other }) => other);
  const warnings = overlaps.map(warnOfOverlap);
  if (!isMeasured(name, value))
    return [`Epoch ${epoch} was kept, but not chosen by a score. ${unmeasured(name)}`, ...warnings];
  const chosen = `Epoch ${epoch} was chosen for the best ${name} on the validation part (${value.toFixed(3)})`;
  const claim = !hasTest
    ? `${chosen}, and the score is that of the same part: expect a little less on new images.`
    : shared.length === 0
      ? `${chosen}; the score is that of the test part, on which nothing was chosen.`
      : `${chosen}; the score is that of the test part, which has images of ${shared.join(' and of ')}: expect less on new images.`;
  return [claim, ...warnings];
}

/** An overlap with its consequence, in a sentence. */
export function warnOfOverlap(overlap: Overlap): string {
  const why = overlap.other === PARTS.train ? 'the model has learned from them' : 'the epoch is chosen by them';
  const sentence = describeOverlap(overlap);
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}: ${why}, so the score is too good.`;
}

/** Says which parts have nothing to score, a sentence each: their score is the same whatever the model finds. */
export function describeUnscored(parts: Partial<Record<'val' | 'test', Pick<Dataset, 'annotations'>>>): string[] {
  return (['val', 'test'] as const).flatMap((part) => {
    const { annotations = [] } = parts[part] ?? {};
    if (annotations.length === 0 || annotations.some((annotation) => learnedClasses(annotation).length > 0)) return [];
    const choice = part === 'val' ? ', and no epoch is better than another' : '';
    const name = PARTS[part];
    return [`${name[0]!.toUpperCase()}${name.slice(1)} has no object that counts, so its score says nothing${choice}.`];
  });
}
