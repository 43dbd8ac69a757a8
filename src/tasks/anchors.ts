import { cxcywh, type Cxcywh } from '../geometry/box.js';

/** Width and height of an anchor, as shares of the input's. */
export type AnchorShape = readonly [width: number, height: number];
/** Shapes of the anchors of one cell, level by level, finest first, in the order of the head's columns. */
export type AnchorShapes = readonly (readonly AnchorShape[])[];

/** Rows and columns of a feature map. */
export interface Grid {
  readonly height: number;
  readonly width: number;
}

/** Anchors of a network at one size. */
export interface AnchorLayout {
  readonly shapes: AnchorShapes;
  /** One a level. */
  readonly grids: readonly Grid[];
  /** [A,4], pixels of the input. */
  readonly boxes: Cxcywh;
}

const MIN_SCALE = 0.2;
const MAX_SCALE = 0.95;
/** Scale of a level of stride 8, in front of the others: SSD's for conv4_3 (Liu et al. 2016, section 3.1). */
const FINEST_SCALE = 0.1;

/** One scale a level, and the one behind the last: 0.2 … 0.95, 1; with `stride8` 0.1 before them. Liu et al. 2016, eq. 4. */
function linearScales(levels: number, stride8: boolean): readonly number[] {
  const steps = stride8 ? levels - 1 : levels;
  const linear = Array.from({ length: steps }, (_, k) => MIN_SCALE + ((MAX_SCALE - MIN_SCALE) * k) / (steps - 1));
  return [...(stride8 ? [FINEST_SCALE] : []), ...linear, 1];
}

const shape = (scale: number, ratio: number): AnchorShape => [scale * Math.sqrt(ratio), scale / Math.sqrt(ratio)];

export interface SsdAnchorOptions {
  readonly levels: number;
  /** Whether the first level has stride 8. */
  readonly stride8: boolean;
}

/** SSD's anchors: Liu et al. 2016 (arXiv:1512.02325), section 2.2, in the order of TensorFlow's SSD-lite. With 3 on the finest level it has a
 *  small square and two elongated ones ("reduce boxes in lowest layer"). */
export function tensorflowShapes({ levels, stride8 }: SsdAnchorOptions, finest: 3 | 6): AnchorShapes {
  const scales = linearScales(levels, stride8);
  return Array.from({ length: levels }, (_, k) => {
    const [scale, next] = [scales[k]!, scales[k + 1]!];
    if (k === 0 && finest === 3) return [shape(scale / 2, 1), shape(scale, 2), shape(scale, 0.5)];
    const elongated = [2, 0.5, 3, 1 / 3].map((ratio) => shape(scale, ratio));
    return [shape(scale, 1), ...elongated, shape(Math.sqrt(scale * next), 1)];
  });
}

/** The same anchors in torchvision's order, none wider or higher than the input; `ratios` of each level besides 1, each also upright. */
export function torchvisionShapes(scales: readonly number[], ratios: readonly (readonly number[])[]): AnchorShapes {
  return ratios.map((ratiosOf, k) => {
    const scale = scales[k]!;
    const squares = [shape(scale, 1), shape(Math.sqrt(scale * scales[k + 1]!), 1)];
    const elongated = ratiosOf.flatMap((ratio) => [shape(scale, ratio), shape(scale, 1 / ratio)]);
    return [...squares, ...elongated].map(([w, h]) => [Math.min(w, 1), Math.min(h, 1)]);
  });
}

/** torchvision's anchors of SSD-lite: 6 on each level. */
export const torchvisionLiteShapes = ({ levels, stride8 }: SsdAnchorOptions): AnchorShapes =>
  torchvisionShapes(linearScales(levels, stride8), Array.from({ length: levels }, () => [2, 3])); // prettier-ignore

/** Anchors of all levels for an input of the given height and width: [A,4] Cxcywh in its pixels, level after level, row after row,
 *  cell after cell: the order of the head's outputs. Cells divide the input evenly, or lie `steps` pixels apart, one number a level. */
export function cellAnchors(
  shapes: AnchorShapes,
  grids: readonly Grid[],
  [height, width]: readonly [number, number],
  steps?: readonly number[],
): Cxcywh {
  const rows: number[] = [];
  for (const [k, grid] of grids.entries()) {
    const [stepY, stepX] = steps ? [steps[k]!, steps[k]!] : [height / grid.height, width / grid.width];
    for (let y = 0; y < grid.height; y++) {
      for (let x = 0; x < grid.width; x++) {
        for (const [w, h] of shapes[k]!) rows.push((x + 0.5) * stepX, (y + 0.5) * stepY, w * width, h * height);
      }
    }
  }
  return cxcywh(rows);
}
