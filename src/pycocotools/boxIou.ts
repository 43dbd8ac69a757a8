/** Intersection over union of boxes [x, y, width, height]: dt [D, 4] and gt [G, 4] to out [D, G], row-major; over the
 *  detection's own area if the ground truth is a crowd. maskApi.c, bbIou, term by term, so that the last bit agrees. */
export function boxIou(dt: Float64Array, gt: Float64Array, crowd: Uint8Array, out: Float64Array): void {
  const numDt = dt.length >> 2;
  const numGt = gt.length >> 2;
  for (let g = 0; g < numGt; g++) {
    const gx = gt[g * 4]!;
    const gy = gt[g * 4 + 1]!;
    const gw = gt[g * 4 + 2]!;
    const gh = gt[g * 4 + 3]!;
    const gRight = gw + gx;
    const gBottom = gh + gy;
    const gArea = gw * gh;
    const isCrowd = crowd[g] === 1;
    for (let d = 0; d < numDt; d++) {
      const at = d * numGt + g;
      out[at] = 0;
      const x = dt[d * 4]!;
      const w = dt[d * 4 + 2]!;
      const overlapX = Math.min(w + x, gRight) - Math.max(x, gx);
      if (overlapX <= 0) continue;
      const y = dt[d * 4 + 1]!;
      const h = dt[d * 4 + 3]!;
      const overlapY = Math.min(h + y, gBottom) - Math.max(y, gy);
      if (overlapY <= 0) continue;
      const intersection = overlapX * overlapY;
      const dArea = w * h;
      out[at] = intersection / (isCrowd ? dArea : dArea + gArea - intersection);
    }
  }
}
