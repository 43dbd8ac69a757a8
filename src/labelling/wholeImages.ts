import { ranked, type LookedAtWhole, type Suspect } from './suspect.js';

/** Images whose label gets less probability than another class. The disagreement is the difference of the two
 *  probabilities: the margin of confident learning (Northcutt et al. 2021, arXiv:1911.00068). */
export const suspectClasses = (images: readonly LookedAtWhole[]): Suspect[] =>
  ranked(
    images.flatMap(({ label, found, ...image }): Suspect[] => {
      const [best] = found;
      if (!best || best.category === label) return [];
      const own = found.find(({ category }) => category === label)?.probability ?? 0; // not among the most probable
      return [
        {
          ...image,
          kind: 'class',
          label: { category: label },
          model: { category: best.category, score: best.probability },
          disagreement: best.probability - own,
        },
      ];
    }),
  );
