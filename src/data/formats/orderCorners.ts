import type { Findings, Note } from '../findings.js';

type Corners = [x1: number, y1: number, x2: number, y2: number];

/** What a note says about them. */
export const EXCHANGED = 'left and right, or top and bottom, are exchanged';

/** The corners of a box that was drawn from right to left, or from bottom to top, in the usual order, which is counted.
 *  A box without area stays as it is. */
export function orderCorners(corners: Corners, note: () => Note, findings: Findings): Corners {
  const [x1, y1, x2, y2] = corners;
  if ((x2 > x1 && y2 > y1) || x1 === x2 || y1 === y2) return corners;
  findings.count('corners of a box put in order', note);
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}
