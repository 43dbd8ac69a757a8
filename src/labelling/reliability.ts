import type { TruthBox } from '../tasks/section.js';
import type { LookedAtBoxes } from './suspect.js';

/** How far a detector can be believed on these data, counted on the labels themselves, most of which are right. */
export interface Reliability {
  /** Share of the confident detections of a category that match a label. */
  readonly trust: (category: string) => number;
  /** Share of the labels of a category and about this size that the model sees. */
  readonly sight: (object: TruthBox) => number;
}

export interface MatchedImage {
  readonly image: LookedAtBoxes;
  /** For each detection the row of the label that it matches, or −1. */
  readonly matches: readonly number[];
}

/** Weight of the share over all categories, as a number of detections or labels of one. */
const PRIOR = 4;

/** Counts with a prior: a category with few objects is believed about as much as the others. */
function createShares() {
  const counts = new Map<string, { hits: number; all: number }>();
  return {
    add(key: string, isHit: boolean): void {
      const { hits, all } = counts.get(key) ?? { hits: 0, all: 0 };
      counts.set(key, { hits: hits + Number(isHit), all: all + 1 });
    },
    of(key: string, prior: number): number {
      const { hits, all } = counts.get(key) ?? { hits: 0, all: 0 };
      return (hits + PRIOR * prior) / (all + PRIOR);
    },
  };
}

/** COCO's sizes: areas below 32² and 96² pixels. */
const sizeOf = ({ box: [x1, y1, x2, y2] }: TruthBox): string => {
  const side = Math.sqrt((x2 - x1) * (y2 - y1));
  return side < 32 ? 'small' : side < 96 ? 'medium' : 'large';
};

/** Counts on matched images; detections from the score `confident` on count. */
export function countReliability(images: readonly MatchedImage[], confident: number): Reliability {
  const [trusted, seen] = [createShares(), createShares()];
  for (const { image, matches } of images) {
    image.found.forEach(({ label, score }, d) => {
      const match = matches[d]!;
      if (score < confident || image.truth[match]?.ignore) return;
      trusted.add(label, match >= 0);
      trusted.add('', match >= 0);
    });
    image.truth.forEach((object, row) => {
      if (object.ignore) return;
      const isSeen = image.found.some(({ score }, d) => score >= confident && matches[d] === row);
      const size = sizeOf(object);
      seen.add(`${size} ${object.label}`, isSeen);
      seen.add(size, isSeen);
    });
  }
  return {
    trust: (category) => trusted.of(category, trusted.of('', 0.5)),
    sight: (object) => seen.of(`${sizeOf(object)} ${object.label}`, seen.of(sizeOf(object), 0.5)),
  };
}
