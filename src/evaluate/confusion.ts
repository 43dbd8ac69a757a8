import { bboxIou, type BoxImages } from './boxImages.js';

/** Counts of objects by their class and by the class of the detection that found them. */
export interface Confusion {
  /** Names of the rows and columns. */
  readonly names: readonly string[];
  /** [names + 1, names + 1]: objects of row i that were found as column j. The last column counts objects that were not
   *  found, the last row detections where no object is. */
  readonly counts: readonly (readonly number[])[];
}

const MATCH_IOU = 0.5;

/** Counts which class is confused with which, among detections that score at least `minScore`. Detections match objects
 *  of their own class first, best score first, as for AP; the others match objects of other classes that nothing found.
 *  Detections on ignored objects of their class do not count. */
export function confusionMatrix({ names, images }: BoxImages, minScore: number): Confusion {
  const none = names.length;
  const counts = Array.from({ length: none + 1 }, () => new Array<number>(none + 1).fill(0));
  for (const { truth, detections } of images) {
    const objects = truth.filter(({ ignore }) => !ignore).map((object) => ({ ...object, foundAs: none }));
    const regions = truth.filter(({ ignore }) => ignore);
    const ranked = detections.filter(({ score }) => score >= minScore).sort((a, b) => b.score - a.score);
    const take = ({ category, bbox }: (typeof ranked)[number], sameClass: boolean): boolean => {
      const free = objects
        .filter((object) => object.foundAs === none && (object.category === category) === sameClass)
        .map((object) => ({ object, overlap: bboxIou(bbox, object.bbox) }))
        .filter(({ overlap }) => overlap >= MATCH_IOU)
        .sort((a, b) => b.overlap - a.overlap)[0];
      if (free) free.object.foundAs = category;
      return free !== undefined;
    };
    const unmatched = ranked.filter((detection) => !take(detection, true));
    for (const detection of unmatched) {
      const { category, bbox } = detection;
      const isIgnored = regions.some(
        (region) => region.category === category && bboxIou(bbox, region.bbox, true) > MATCH_IOU,
      );
      if (!isIgnored && !take(detection, false)) counts[none]![category]!++;
    }
    for (const { category, foundAs } of objects) counts[category]![foundAs]!++;
  }
  return { names, counts };
}
