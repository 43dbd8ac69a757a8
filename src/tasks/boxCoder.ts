import { FinetuneError } from '../errors.js';
import { cxcywh, cxcywhToXyxy, xyxyToCxcywh, type Cxcywh, type Xyxy } from '../geometry/box.js';

/** What the centre offsets and the logarithms of the sizes are multiplied with: SSD's variances 0.1 and 0.2. */
const CENTRE = 10;
const SIZE = 5;

/** Encodes boxes as SSD offsets from their anchors. Liu et al. 2016, eq. 2 (arXiv:1512.02325).
 *  boxes [N,4] in pixels of the input; anchors [N,4], same unit, row by row the box's own → [N,4] offsets.
 *  Throws E_BOX_DEGENERATE if a width or height is not positive. */
export function encodeBoxes(matched: Xyxy, anchors: Cxcywh): Float32Array {
  const truth = xyxyToCxcywh(matched);
  const offsets = new Float32Array(truth.length);
  for (let i = 0; i < truth.length; i += 4) {
    const [w, h] = [truth[i + 2]!, truth[i + 3]!];
    if (!(w > 0 && h > 0))
      throw new FinetuneError({ code: 'E_BOX_DEGENERATE', message: `box ${i / 4} is ${w} × ${h}` });
    offsets[i] = ((truth[i]! - anchors[i]!) / anchors[i + 2]!) * CENTRE;
    offsets[i + 1] = ((truth[i + 1]! - anchors[i + 1]!) / anchors[i + 3]!) * CENTRE;
    offsets[i + 2] = Math.log(w / anchors[i + 2]!) * SIZE;
    offsets[i + 3] = Math.log(h / anchors[i + 3]!) * SIZE;
  }
  return offsets;
}

/** Inverse of encodeBoxes. offsets [N,4], anchors [N,4] → [N,4] in the anchors' unit. */
export function decodeBoxes(offsets: Float32Array, anchors: Cxcywh): Xyxy {
  const centred = new Float32Array(offsets.length);
  for (let i = 0; i < offsets.length; i += 4) {
    centred[i] = (offsets[i]! / CENTRE) * anchors[i + 2]! + anchors[i]!;
    centred[i + 1] = (offsets[i + 1]! / CENTRE) * anchors[i + 3]! + anchors[i + 1]!;
    centred[i + 2] = Math.exp(offsets[i + 2]! / SIZE) * anchors[i + 2]!;
    centred[i + 3] = Math.exp(offsets[i + 3]! / SIZE) * anchors[i + 3]!;
  }
  return cxcywhToXyxy(cxcywh(centred));
}
