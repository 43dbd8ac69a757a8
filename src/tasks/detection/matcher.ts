import { iou, type Xyxy } from '../../geometry/box.js';

/** A match with no box: the anchor is background. */
export const BACKGROUND = -1;
/** A match with a region that is not to be learnt: the anchor is neither an object nor background. */
export const IGNORED = -2;

/** Label of an anchor that is not to be learnt. The others are 0 for background and k + 1 for the class k. */
export const UNLEARNT = -1;

/** The labels of anchors by their matches [A], rows of `classes`, BACKGROUND or IGNORED → [A]. */
export const labelsOf = (matches: Int32Array, classes: readonly number[]): Int32Array =>
  matches.map((match) => (match === IGNORED ? UNLEARNT : match === BACKGROUND ? 0 : classes[match]! + 1));

/** Assigns boxes to anchors as SSD does: an anchor takes the box that it overlaps most if their IoU is at least the
 *  threshold, and each box takes its best anchor in any case. If two boxes have the same best anchor, the later one
 *  gets it, as in torchvision's SSDMatcher. anchors [A,4], truth [N,4], same unit. `ignore` [N] marks crowds and
 *  difficult objects, which match nothing: an anchor without a match that overlaps one of them by the threshold is
 *  IGNORED. Returns [A]: index of the box, BACKGROUND or IGNORED. */
export function matchAnchors(anchors: Xyxy, truth: Xyxy, ignore: readonly boolean[], threshold: number): Int32Array {
  const count = anchors.length / 4;
  const matches = new Int32Array(count).fill(BACKGROUND);
  const best = new Float32Array(count);
  const ownBest: { box: number; anchor: number }[] = [];
  for (let j = 0; j < ignore.length; j++) {
    let bestAnchor = -1;
    let bestIou = 0;
    for (let i = 0; i < count; i++) {
      const overlap = iou(anchors, i, truth, j);
      if (overlap > bestIou) {
        bestIou = overlap;
        bestAnchor = i;
      }
      if (ignore[j]) {
        if (overlap >= threshold && matches[i] === BACKGROUND) matches[i] = IGNORED;
      } else if (overlap >= threshold && overlap > best[i]!) {
        best[i] = overlap;
        matches[i] = j;
      }
    }
    if (!ignore[j] && bestAnchor >= 0) ownBest.push({ box: j, anchor: bestAnchor });
  }
  for (const { box, anchor } of ownBest) matches[anchor] = box;
  return matches;
}
