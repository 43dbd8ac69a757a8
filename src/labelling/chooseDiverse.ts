import type { Thumbnail } from '../data/likeness/thumbnail.js';

export interface Candidate {
  readonly file: string;
  /** 0…1. */
  readonly uncertainty: number;
  /** What the image looks like; undefined for one of a single colour, which is like no other. */
  readonly thumbnail: Thumbnail | undefined;
}

/** A candidate in its place of the order. */
export interface Chosen {
  readonly index: number;
  /** Uncertainty × diversity, 0…1. */
  readonly value: number;
  /** The image before it that looks most alike, and their correlation. */
  readonly like?: { readonly index: number; readonly correlation: number };
}

/** Images that are chosen one after the other; the rest follows by value, compared with these alone. */
const MOST_CHOSEN = 200;

/** Orders images so that each is uncertain and looks different from those before it: greedily by uncertainty ×
 *  (1 − r⁴), where r is the largest correlation with an image that was chosen. Photos of different things correlate by
 *  up to 0.9, copies and frames of a video by more than 0.95, so that the fourth power tells them apart. */
export function chooseDiverse(candidates: readonly Candidate[], most = MOST_CHOSEN): Chosen[] {
  const left = new Set(candidates.keys());
  const likest = candidates.map((): { index: number; correlation: number } => ({ index: -1, correlation: 0 }));
  const valueOf = (i: number): number => candidates[i]!.uncertainty * (1 - likest[i]!.correlation ** 4);
  const order: Chosen[] = [];
  const take = (index: number): void => {
    const { index: like, correlation } = likest[index]!;
    order.push({ index, value: valueOf(index), ...(like >= 0 && { like: { index: like, correlation } }) });
    left.delete(index);
  };
  while (left.size > 0 && order.length < most) {
    let best = -1;
    for (const i of left) if (best < 0 || valueOf(i) > valueOf(best)) best = i;
    take(best);
    const { thumbnail } = candidates[best]!;
    for (const i of left) {
      const correlation = Math.min(1, correlationOf(thumbnail, candidates[i]!.thumbnail));
      if (correlation > likest[i]!.correlation) likest[i] = { index: best, correlation };
    }
  }
  for (const i of [...left].sort((a, b) => valueOf(b) - valueOf(a))) take(i);
  return order;
}

function correlationOf(a: Thumbnail | undefined, b: Thumbnail | undefined): number {
  if (!a || !b) return 0;
  let sum = 0;
  for (let i = 0; i < a.values.length; i++) sum += a.values[i]! * b.values[i]!;
  return sum;
}
