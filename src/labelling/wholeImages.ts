import { ranked, type LookedAtWhole, type Suspect } from './suspect.js';

/** Least probability of another class. A model that learned from a wrong label still holds it for the most probable
 *  one, but with doubts. */
const DOUBTED = 0.2;

/** Images for which another class than their label is probable, by the probability of that class. */
export const suspectClasses = (images: readonly LookedAtWhole[]): Suspect[] =>
  ranked(
    images.flatMap(({ label, found, ...image }): Suspect[] => {
      const other = found.find(({ category }) => category !== label);
      if (!other || other.probability < DOUBTED) return [];
      return [
        {
          ...image,
          kind: 'class',
          label: { category: label },
          model: { category: other.category, score: other.probability },
          disagreement: other.probability,
        },
      ];
    }),
  );
