import { iou, type Xyxy } from '../../geometry/box.js';
import { BACKGROUND, IGNORED } from './matcher.js';

export interface Thresholds {
  /** Least IoU of a match. */
  readonly foreground: number;
  /** IoU below which an anchor is background. Between the two thresholds it learns nothing. */
  readonly background: number;
}

/** Assigns boxes to anchors by two thresholds, as torchvision's Matcher with allow_low_quality_matches. An anchor takes
 *  the box that it overlaps most, if their IoU is at least `foreground`, or if no other anchor overlaps some box more.
 *  Else it is background below `background`, and IGNORED between the two. anchors [A,4], truth [N,4], same unit.
 *  `ignore` [N] marks crowds and difficult objects, which match nothing: a background anchor that overlaps one of them
 *  by `foreground` is IGNORED. Returns [A]: index of the box, BACKGROUND or IGNORED. */
export function matchByThresholds(
  anchors: Xyxy,
  truth: Xyxy,
  ignore: readonly boolean[],
  { foreground, background }: Thresholds,
): Int32Array {
  const count = anchors.length / 4;
  const nearest = new Int32Array(count).fill(BACKGROUND);
  const best = new Float32Array(count);
  const onIgnored = new Uint8Array(count);
  const matches = new Int32Array(count).fill(BACKGROUND);
  const lowQuality: number[] = [];
  for (let j = 0; j < ignore.length; j++) {
    let highest = 0;
    let holders: number[] = []; // the anchors that share the highest IoU
    for (let i = 0; i < count; i++) {
      const overlap = Math.fround(iou(anchors, i, truth, j));
      if (overlap === 0) continue;
      if (ignore[j]) {
        if (overlap >= foreground) onIgnored[i] = 1;
        continue;
      }
      if (overlap > best[i]!) {
        best[i] = overlap;
        nearest[i] = j;
      }
      if (overlap > highest) {
        highest = overlap;
        holders = [];
      }
      if (overlap === highest) holders.push(i);
    }
    lowQuality.push(...holders);
  }
  for (let i = 0; i < count; i++) {
    if (best[i]! >= foreground) matches[i] = nearest[i]!;
    else if (best[i]! >= background || onIgnored[i]) matches[i] = IGNORED;
  }
  for (const i of lowQuality) matches[i] = nearest[i]!;
  return matches;
}
