import { iou, type Xyxy } from '../../geometry/box.js';

/** No box: the anchor is background. */
export const BACKGROUND = -1;
/** Neither: the anchor lies on a region that is not to be learnt. */
export const IGNORED = -2;

/** Assigns boxes to anchors as SSD does: an anchor takes the box it overlaps most when IoU ≥ threshold, and each box
 *  its best anchor in any case (of two boxes with the same best anchor the later one has it, as in torchvision's SSDMatcher).
 *  anchors [A,4], truth [N,4], same unit; ignore [N] marks crowds and difficult objects: anchors that overlap them most,
 *  and match nothing else, are IGNORED. Returns [A]: index of the box, BACKGROUND or IGNORED. */
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
