/** One cell at one area range. Ground truths are addressed through `order`: those that count first, ignored ones last. */
export interface Candidates {
  readonly numDt: number;
  readonly numGt: number;
  readonly similarity: Float64Array; // [D, G] in the cell's own order
  readonly order: Int32Array; // [G] position in the cell
  readonly ignored: Uint8Array; // [G] by position in `order`
  readonly crowd: Uint8Array; // [G] by position in `order`
  /** Whether a match with detection d marks a ground truth as taken: upstream stores ids and tests `> 0`. */
  readonly takes: Uint8Array; // [D]
  /** Detections that are similar enough to anything at some threshold, best score first. */
  readonly numPromising: number;
  readonly promising: Int32Array;
  readonly mostAlike: Float64Array; // [D] highest similarity
}

/** The similarity that a match needs at a threshold; at 1 upstream tolerates rounding. */
export function demanded(threshold: number): number {
  return Math.min(threshold, 1 - 1e-10);
}

/** Greedy matching in order of score at one threshold. Writes dtMatch [D], a position in `order` or −1, and gtMatch
 *  [G], a detection or −1. cocoeval.py, evaluateImg, loop `for dind`. A crowd may be matched repeatedly; a detection
 *  that has found a ground truth that counts is not matched with ignored ones. */
export function matchCell(
  { numDt, numGt, similarity, order, ignored, crowd, takes, numPromising, promising, mostAlike }: Candidates,
  threshold: number,
  dtMatch: Int32Array,
  gtMatch: Int32Array,
): void {
  dtMatch.fill(-1, 0, numDt);
  gtMatch.fill(-1, 0, numGt);
  const least = demanded(threshold);
  for (let i = 0; i < numPromising; i++) {
    const d = promising[i]!;
    if (mostAlike[d]! < least) continue;
    let best = least;
    let match = -1;
    for (let g = 0; g < numGt; g++) {
      const taker = gtMatch[g]!;
      if (taker >= 0 && takes[taker] === 1 && crowd[g] === 0) continue;
      if (match >= 0 && ignored[match] === 0 && ignored[g] === 1) break;
      const value = similarity[d * numGt + order[g]!]!;
      if (!(value >= best)) continue;
      best = value;
      match = g;
    }
    if (match < 0) continue;
    dtMatch[d] = match;
    gtMatch[match] = d;
  }
}
