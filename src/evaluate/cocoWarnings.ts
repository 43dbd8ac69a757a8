import type { COCO, IouType } from '../pycocotools/index.js';
import type { CocoTruth } from './cocoTruth.js';
import { compareCoco } from './compare.js';
import { warnOfThreshold } from './explain.js';

/** What makes the numbers of pycocotools lower than the reader expects, a sentence each. */
export function cocoWarnings(
  truth: COCO,
  detections: COCO,
  {
    hasIdZero,
    iouType,
    maxDets,
  }: Pick<CocoTruth, 'hasIdZero'> & { readonly iouType: IouType; readonly maxDets: number },
): string[] {
  const lowest = detections.columns().score.reduce((low, value) => Math.min(low, value), Infinity);
  return [
    hasIdZero &&
      'warning: an annotation has the id 0, which pycocotools takes for "no match": its detection counts as false, and the score is too low (number the annotations from 1)',
    warnOfMaxDets(truth, detections, maxDets, iouType),
    warnOfThreshold(lowest, () => compareCoco(truth, detections, Infinity)),
  ].filter((warning) => typeof warning === 'string');
}

/** The warning for an image with more objects of a category than detections count; undefined if there is none. */
function warnOfMaxDets(truth: COCO, detections: COCO, maxDets: number, iouType: IouType): string | undefined {
  const crowded: {
    readonly image: string;
    readonly category: string;
    readonly objects: number;
    readonly found: number;
  }[] = [];
  for (const [id, annotations] of truth.imgToAnns) {
    if (annotations.length <= maxDets) continue;
    const objects = countBy(annotations.filter(({ iscrowd }) => !iscrowd));
    for (const [categoryId, count] of objects) {
      if (count <= maxDets) continue;
      const found = countBy(detections.imgToAnns.get(id) ?? []).get(categoryId) ?? 0;
      const image = truth.imgs.get(id)?.file_name ?? String(id);
      const category = truth.cats.get(categoryId)?.name ?? String(categoryId);
      if (found > maxDets) crowded.push({ image, category, objects: count, found });
    }
  }
  const [first] = crowded;
  if (!first) return undefined;
  const { image, category, objects, found } = first;
  const more = crowded.length > 1 ? ` (and ${crowded.length - 1} more like it)` : '';
  const remedy =
    iouType === 'keypoints' ? '' : `; --max-dets ${Math.max(...crowded.map((one) => one.found))} counts all`;
  return `warning: "${image}" has ${objects} objects of "${category}" and ${found} detections${more}, but only the best ${maxDets} detections of an image and category count, so that the score is too low${remedy}`;
}

function countBy(rows: readonly { readonly category_id: number }[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { category_id } of rows) counts.set(category_id, (counts.get(category_id) ?? 0) + 1);
  return counts;
}
