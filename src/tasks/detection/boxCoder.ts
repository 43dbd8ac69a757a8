import { FinetuneError } from '../../errors.js';
import { cxcywh, cxcywhToXyxy, xyxy, xyxyToCxcywh, type Cxcywh, type Xyxy } from '../../geometry/box.js';

/** Factors on the offsets of the centre and on the logarithms of the size. */
export interface CoderScale {
  readonly centre: number;
  readonly size: number;
}

/** SSD's variances 0.1 and 0.2. */
export const SSD: CoderScale = { centre: 10, size: 5 };
/** Limit on the logarithm of a decoded size, as in torchvision: a box is at most 62.5 times as wide or high as its
 *  anchor. */
export const LARGEST_LOG_SIZE = Math.log(1000 / 16);

/** Encodes boxes as SSD offsets from their anchors. Liu et al. 2016, eq. 2 (arXiv:1512.02325).
 *  boxes [N,4] in pixels of the input; anchors [N,4], same unit, a row for each box → [N,4] offsets.
 *  Throws E_BOX_DEGENERATE if a width or height is not positive. */
export function encodeBoxes(matched: Xyxy, anchors: Cxcywh, { centre, size } = SSD): Float32Array {
  const truth = xyxyToCxcywh(matched);
  const offsets = new Float32Array(truth.length);
  for (let i = 0; i < truth.length; i += 4) {
    const [w, h] = [truth[i + 2]!, truth[i + 3]!];
    if (!(w > 0 && h > 0))
      throw new FinetuneError({ code: 'E_BOX_DEGENERATE', message: `box ${i / 4} is ${w} × ${h}` });
    offsets[i] = ((truth[i]! - anchors[i]!) / anchors[i + 2]!) * centre;
    offsets[i + 1] = ((truth[i + 1]! - anchors[i + 1]!) / anchors[i + 3]!) * centre;
    offsets[i + 2] = Math.log(w / anchors[i + 2]!) * size;
    offsets[i + 3] = Math.log(h / anchors[i + 3]!) * size;
  }
  return offsets;
}

/** The offsets of the box that each anchor is matched with. `matches` [A] are rows of `truth` [N,4], or negative for no
 *  match → [A,4], with zeros, which no loss reads, for anchors without a match. Throws E_BOX_DEGENERATE as encodeBoxes
 *  does. */
export function encodeMatches(matches: Int32Array, truth: Xyxy, anchors: Cxcywh, scale = SSD): Float32Array {
  const learnt = [...matches.keys()].filter((i) => matches[i]! >= 0);
  const boxes = xyxy(learnt.flatMap((i) => [...rowOf(truth, matches[i]!)]));
  const encoded = encodeBoxes(boxes, cxcywh(learnt.flatMap((i) => [...rowOf(anchors, i)])), scale);
  const offsets = new Float32Array(anchors.length);
  for (const [k, i] of learnt.entries()) offsets.set(rowOf(encoded, k), i * 4);
  return offsets;
}
const rowOf = (rows: Float32Array, i: number): Float32Array => rows.subarray(i * 4, i * 4 + 4);

/** Inverse of encodeBoxes. offsets [N,4], anchors [N,4] → [N,4] in the anchors' unit. */
export function decodeBoxes(offsets: Float32Array, anchors: Cxcywh, { centre, size } = SSD): Xyxy {
  const centred = new Float32Array(offsets.length);
  for (let i = 0; i < offsets.length; i += 4) {
    centred[i] = (offsets[i]! / centre) * anchors[i + 2]! + anchors[i]!;
    centred[i + 1] = (offsets[i + 1]! / centre) * anchors[i + 3]! + anchors[i + 1]!;
    centred[i + 2] = Math.exp(Math.min(offsets[i + 2]! / size, LARGEST_LOG_SIZE)) * anchors[i + 2]!;
    centred[i + 3] = Math.exp(Math.min(offsets[i + 3]! / size, LARGEST_LOG_SIZE)) * anchors[i + 3]!;
  }
  return cxcywhToXyxy(cxcywh(centred));
}
