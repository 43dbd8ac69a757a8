import { boxOutline } from './columns.js';
import { CocoError } from './errors.js';
import { area, runsFromCounts, toBbox, toRle } from './mask.js';
import type { CocoAnnotation, CocoResult, Rle } from './types.js';

/** Completes results with id (from 1), area, box and outline. coco.py, loadRes: the FIRST result decides of which kind
 *  the file is.
 *  Throws E_COCO_FIELD if a result lacks what its kind needs. */
export function completeResults(results: readonly CocoResult[]): CocoAnnotation[] {
  const [first] = results;
  if (!first) return [];
  if (first.caption !== undefined) return results.map((result, index) => ({ ...withCategory(result), id: index + 1 }));
  if (first.bbox && first.bbox.length > 0) return results.map(completeBox);
  if (first.segmentation) return results.map(completeSegmentation);
  if (first.keypoints) return results.map(completeKeypoints);
  throw missing(0, 'one of "bbox", "segmentation", "keypoints", "caption"');
}

function completeBox(result: CocoResult, index: number): CocoAnnotation {
  const { bbox } = result;
  if (bbox?.length !== 4) throw missing(index, '"bbox"');
  return {
    ...withCategory(result),
    segmentation: result.segmentation ?? [boxOutline(bbox)],
    area: bbox[2]! * bbox[3]!,
    id: index + 1,
    iscrowd: 0,
  };
}

function completeSegmentation(result: CocoResult, index: number): CocoAnnotation {
  const { segmentation } = result;
  if (!segmentation) throw missing(index, '"segmentation"');
  if (!('counts' in segmentation)) {
    throw new CocoError({
      code: 'E_COCO_RLE',
      message: 'segmentation results must be run-length codes, but this is a polygon',
      where: { path: `[${index}].segmentation` },
      fix: 'convert it with mask.frPyObjects and mask.merge',
    });
  }
  return located(`[${index}].segmentation`, () => {
    const rle: Rle =
      typeof segmentation.counts === 'string' ? (segmentation as Rle) : toRle(runsFromCounts(segmentation as never));
    return {
      ...withCategory(result),
      area: area(rle),
      bbox: result.bbox ?? toBbox(rle),
      id: index + 1,
      iscrowd: 0,
    };
  });
}

function completeKeypoints(result: CocoResult, index: number): CocoAnnotation {
  const { keypoints } = result;
  if (!keypoints || keypoints.length === 0) throw missing(index, '"keypoints"');
  const [left, right] = rangeOf(keypoints.filter((_, i) => i % 3 === 0));
  const [top, bottom] = rangeOf(keypoints.filter((_, i) => i % 3 === 1));
  const width = right - left;
  const height = bottom - top;
  return { ...withCategory(result), area: width * height, id: index + 1, bbox: [left, top, width, height] };
}

function rangeOf(values: readonly number[]): [low: number, high: number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

/** Adds a category to a caption, which has none; NaN matches no category. */
function withCategory(result: CocoResult): CocoResult & { readonly category_id: number } {
  return { ...result, category_id: result.category_id ?? NaN };
}

function missing(index: number, what: string): CocoError {
  return new CocoError({ code: 'E_COCO_FIELD', message: `has no ${what}`, where: { path: `[${index}]` } });
}

/** Runs `work`, and gives its errors the path. */
export function located<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CocoError)) throw error;
    throw new CocoError(error.problems.map((problem) => ({ ...problem, where: { path, ...problem.where } })));
  }
}
