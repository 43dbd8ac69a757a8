import { CocoError } from './errors.js';
import { pairwiseSum } from './pairwiseSum.js';
import type { CocoAnnotation } from './types.js';

/** Object keypoint similarity of detections with ground truths, written to out [D, G], row-major. cocoeval.py,
 *  computeOks. For each keypoint exp(−d² / (2 · area · (2σ)²)), averaged over the labelled ones; if none is labelled, d
 *  is the distance to twice the box, over all of them.
 *  Throws E_COCO_KEYPOINTS if there are not three numbers for each sigma. */
export function fillOks(
  detections: readonly CocoAnnotation[],
  truths: readonly CocoAnnotation[],
  sigmas: Float64Array,
  out: Float64Array,
): void {
  const variances = sigmas.map((sigma) => (sigma * 2) ** 2);
  const points = detections.map((detection) => keypointsOf(detection, sigmas.length, 'detection'));
  truths.forEach((truth, g) => {
    const labelled = keypointsOf(truth, sigmas.length, 'annotation');
    const [x = NaN, y = NaN, w = NaN, h = NaN] = truth.bbox ?? [];
    const bounds = { left: x - w, right: x + w * 2, top: y - h, bottom: y + h * 2 };
    const scale = (truth.area ?? NaN) + Number.EPSILON; // numpy.spacing(1)
    points.forEach((detected, d) => {
      out[d * truths.length + g] = similarity(detected, labelled, bounds, variances, scale);
    });
  });
}

interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function similarity(
  detected: readonly number[],
  labelled: readonly number[],
  bounds: Bounds,
  variances: Float64Array,
  scale: number,
): number {
  const anyLabelled = labelled.some((value, i) => i % 3 === 2 && value > 0);
  const terms = new Float64Array(variances.length);
  let count = 0;
  for (let k = 0; k < variances.length; k++) {
    const x = detected[k * 3]!;
    const y = detected[k * 3 + 1]!;
    if (anyLabelled && !(labelled[k * 3 + 2]! > 0)) continue;
    const dx = anyLabelled ? x - labelled[k * 3]! : beyond(x, bounds.left, bounds.right);
    const dy = anyLabelled ? y - labelled[k * 3 + 1]! : beyond(y, bounds.top, bounds.bottom);
    const e = (dx * dx + dy * dy) / variances[k]! / scale / 2;
    terms[count++] = Math.exp(-e);
  }
  return pairwiseSum(terms, 0, count) / count;
}

function beyond(value: number, low: number, high: number): number {
  return Math.max(0, low - value) + Math.max(0, value - high);
}

function keypointsOf(annotation: CocoAnnotation, points: number, what: string): readonly number[] {
  const { keypoints, id } = annotation;
  const problem =
    keypoints?.length === points * 3
      ? keypoints.every((value) => Number.isFinite(value)) || 'not all finite numbers'
      : `${keypoints?.length ?? 'no'} numbers instead of ${points * 3} (x, y, visibility for each of ${points} sigmas)`;
  if (typeof problem === 'string') {
    throw new CocoError({ code: 'E_COCO_KEYPOINTS', message: `keypoints of ${what} ${id}: ${problem}` });
  }
  return keypoints!;
}
