import { cxcywh, type Cxcywh } from '../geometry/box.js';

export interface Level {
  readonly height: number;
  readonly width: number;
  /** Anchors per cell. */
  readonly anchors: number;
}

const MIN_SCALE = 0.2;
const MAX_SCALE = 0.95;
/** Scale, as a share of the input's side, and width over height. */
type Shape = readonly [scale: number, ratio: number];

/** SSD's anchors of one cell, level by level: Liu et al. 2016 (arXiv:1512.02325), section 2.2, in the order of TensorFlow's SSD-lite.
 *  A finest level of 3 anchors has a small square and two elongated ones ("reduce boxes in lowest layer"). */
function cellShapes(level: number, levels: number, anchors: number): readonly Shape[] {
  const scaleOf = (k: number): number => (k >= levels ? 1 : MIN_SCALE + ((MAX_SCALE - MIN_SCALE) * k) / (levels - 1));
  const scale = scaleOf(level);
  if (anchors === 3) return [[0.1, 1], [scale, 2], [scale, 0.5]]; // prettier-ignore
  return [[scale, 1], [scale, 2], [scale, 0.5], [scale, 3], [scale, 1 / 3], [Math.sqrt(scale * scaleOf(level + 1)), 1]]; // prettier-ignore
}

/** Anchors of all levels for an input of the given height and width: [A,4] Cxcywh in its pixels,
 *  level after level, row after row, cell after cell: the order of the head's outputs. */
export function ssdAnchors(levels: readonly Level[], [height, width]: readonly [number, number]): Cxcywh {
  const rows: number[] = [];
  for (const [k, level] of levels.entries()) {
    const shapes = cellShapes(k, levels.length, level.anchors);
    for (let y = 0; y < level.height; y++) {
      for (let x = 0; x < level.width; x++) {
        for (const [scale, ratio] of shapes) {
          const stretch = Math.sqrt(ratio);
          rows.push(
            ((x + 0.5) / level.width) * width,
            ((y + 0.5) / level.height) * height,
            scale * stretch * width,
            (scale / stretch) * height,
          );
        }
      }
    }
  }
  return cxcywh(rows);
}
