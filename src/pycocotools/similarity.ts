import { boxIou } from './boxIou.js';
import type { Cells } from './cells.js';
import type { COCO } from './coco.js';
import type { Columns } from './columns.js';
import { CocoError } from './errors.js';
import { maskIou, maskShape, type MaskShape } from './mask.js';
import { fillOks } from './oks.js';
import type { Params } from './params.js';

/** Both sides of an evaluation, as COCO objects and as columns. */
export interface Sides {
  readonly cocoGt: COCO;
  readonly cocoDt: COCO;
  readonly gt: Columns;
  readonly dt: Columns;
}

/** Writes the similarity of each detection of a cell to each ground truth, [D, G] row-major in the cells' order.
 *  Returns false if there is nothing to compare. */
export type Similarity = (cell: number, out: Float64Array) => boolean;

/** The similarity for the kind of evaluation. cocoeval.py, computeIoU and computeOks. */
export function similarityOf(params: Params, sides: Sides, cells: Cells): Similarity {
  switch (params.iouType) {
    case 'bbox':
      return boxSimilarity(sides, cells);
    case 'segm':
      return maskSimilarity(sides, cells);
    case 'keypoints':
      // Upstream's computeOks looks up category −1 and finds nothing, so nothing ever matches. This is kept.
      return params.useCats ? oksSimilarity(sides, cells, params.kpt_oks_sigmas) : () => false;
  }
}

function boxSimilarity({ gt, dt }: Sides, { gtRows, dtRows, gtStart, dtStart }: Cells): Similarity {
  // copied in the cells' order, so that the boxes of a cell are neighbours in memory
  const gtBoxes = gatherBoxes(gt, gtRows, 'annotation');
  const dtBoxes = gatherBoxes(dt, dtRows, 'detection');
  const crowd = Uint8Array.from(gtRows, (row) => gt.crowd[row]!);
  return (cell, out) => {
    const g0 = gtStart[cell]!;
    const g1 = gtStart[cell + 1]!;
    const d0 = dtStart[cell]!;
    const d1 = dtStart[cell + 1]!;
    boxIou(dtBoxes.subarray(d0 * 4, d1 * 4), gtBoxes.subarray(g0 * 4, g1 * 4), crowd.subarray(g0, g1), out);
    return true;
  };
}

function gatherBoxes({ bbox, id }: Columns, rows: Int32Array, what: string): Float64Array {
  const boxes = new Float64Array(rows.length * 4);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const x = bbox[row * 4]!;
    if (Number.isNaN(x)) throw missing(`${what} ${id[row]!}`, 'bbox');
    boxes[i * 4] = x;
    boxes[i * 4 + 1] = bbox[row * 4 + 1]!;
    boxes[i * 4 + 2] = bbox[row * 4 + 2]!;
    boxes[i * 4 + 3] = bbox[row * 4 + 3]!;
  }
  return boxes;
}

function maskSimilarity({ cocoGt, cocoDt, gt, dt }: Sides, { gtRows, dtRows, gtStart, dtStart }: Cells): Similarity {
  const shapes = (coco: COCO, columns: Columns, rows: Int32Array): MaskShape[] =>
    Array.from(rows, (row) => maskShape(coco.annToRuns(columns.annotation(row))));
  return (cell, out) => {
    const gtCell = gtRows.subarray(gtStart[cell], gtStart[cell + 1]);
    const dtCell = dtRows.subarray(dtStart[cell], dtStart[cell + 1]);
    const crowd = Uint8Array.from(gtCell, (row) => gt.crowd[row]!);
    maskIou(shapes(cocoDt, dt, dtCell), shapes(cocoGt, gt, gtCell), crowd, out);
    return true;
  };
}

function oksSimilarity(
  { gt, dt }: Sides,
  { gtRows, dtRows, gtStart, dtStart }: Cells,
  sigmas: Float64Array,
): Similarity {
  return (cell, out) => {
    const truths = Array.from(gtRows.subarray(gtStart[cell], gtStart[cell + 1]), gt.annotation);
    const detections = Array.from(dtRows.subarray(dtStart[cell], dtStart[cell + 1]), dt.annotation);
    fillOks(detections, truths, sigmas, out);
    return true;
  };
}

export function missing(of: string, field: string): CocoError {
  return new CocoError({ code: 'E_COCO_FIELD', message: `${of} has no "${field}"` });
}
