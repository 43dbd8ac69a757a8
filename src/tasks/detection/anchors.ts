import { cxcywh, type Cxcywh } from '../../geometry/box.js';

/** Width and height of an anchor, as shares of the width and height of the input. */
export type AnchorShape = readonly [width: number, height: number];
/** For each level, finest first, the anchors of one of its cells, in the order of the head's columns. */
export type AnchorShapes = readonly (readonly AnchorShape[])[];

/** Rows and columns of a feature map. */
export interface Grid {
  readonly height: number;
  readonly width: number;
}

/** The anchors of one level: the same shapes around every cell of its grid. */
export interface AnchorLevel {
  readonly grid: Grid;
  /** Distance from one cell to the next, in pixels of the input. */
  readonly step: readonly [down: number, right: number];
  /** Where the centre of an anchor lies in its cell: 0 at the first pixel, 0.5 in the middle. */
  readonly offset: 0 | 0.5;
  /** Width and height, in pixels of the input. */
  readonly shapes: readonly (readonly [width: number, height: number])[];
}

/** The anchors of a detector for inputs of one size. */
export interface DetectorAnchors {
  /** Finest first. */
  readonly levels: readonly AnchorLevel[];
  /** Least IoU of an anchor with a box that it learns. */
  readonly threshold: number;
}

const MIN_SCALE = 0.2;
const MAX_SCALE = 0.95;
/** Scale of a level of stride 8 before the others: that of SSD's conv4_3 (Liu et al. 2016, section 3.1). */
const FINEST_SCALE = 0.1;

/** The scale of each level, and a last one of 1: 0.2 … 0.95, 1, with `stride8` 0.1 before them. Liu et al. 2016, eq.
 *  4. */
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

/** SSD's anchors (Liu et al. 2016, arXiv:1512.02325, section 2.2) in the order of TensorFlow's SSD-lite. If the finest
 *  level has 3, these are a small square and two elongated ones ("reduce boxes in lowest layer"). */
export function tensorflowShapes({ levels, stride8 }: SsdAnchorOptions, finest: 3 | 6): AnchorShapes {
  const scales = linearScales(levels, stride8);
  return Array.from({ length: levels }, (_, k) => {
    const [scale, next] = [scales[k]!, scales[k + 1]!];
    if (k === 0 && finest === 3) return [shape(scale / 2, 1), shape(scale, 2), shape(scale, 0.5)];
    const elongated = [2, 0.5, 3, 1 / 3].map((ratio) => shape(scale, ratio));
    return [shape(scale, 1), ...elongated, shape(Math.sqrt(scale * next), 1)];
  });
}

/** SSD's anchors in the order of torchvision, none wider or higher than the input. `ratios`: the aspect ratios of each
 *  level besides 1; each stands for itself and its inverse. */
export function torchvisionShapes(scales: readonly number[], ratios: readonly (readonly number[])[]): AnchorShapes {
  return ratios.map((ratiosOf, k) => {
    const scale = scales[k]!;
    const squares = [shape(scale, 1), shape(Math.sqrt(scale * scales[k + 1]!), 1)];
    const elongated = ratiosOf.flatMap((ratio) => [shape(scale, ratio), shape(scale, 1 / ratio)]);
    return [...squares, ...elongated].map(([w, h]) => [Math.min(w, 1), Math.min(h, 1)]);
  });
}

/** The anchors of torchvision's SSD-lite: 6 for each cell of every level. */
export function torchvisionLiteShapes({ levels, stride8 }: SsdAnchorOptions): AnchorShapes {
  const ratios = Array.from({ length: levels }, () => [2, 3]);
  return torchvisionShapes(linearScales(levels, stride8), ratios);
}

/** SSD's levels for an input of the given height and width. The cells of a level divide the input evenly, or are
 *  `steps` pixels apart, a number for each level. */
export const cellLevels = (
  shapes: AnchorShapes,
  grids: readonly Grid[],
  [height, width]: readonly [number, number],
  steps?: readonly number[],
): readonly AnchorLevel[] =>
  grids.map((grid, k) => ({
    grid,
    step: steps ? [steps[k]!, steps[k]!] : [height / grid.height, width / grid.width],
    offset: 0.5,
    shapes: shapes[k]!.map(([w, h]) => [w * width, h * height]),
  }));

/** The anchors of all levels: [A,4] Cxcywh in pixels of the input, level after level, row after row, cell after cell,
 *  which is the order of the head's outputs. */
export function placeAnchors(levels: readonly AnchorLevel[]): Cxcywh {
  const rows: number[] = [];
  for (const { grid, step, offset, shapes } of levels) {
    for (let y = 0; y < grid.height; y++) {
      for (let x = 0; x < grid.width; x++) {
        for (const [w, h] of shapes) rows.push((x + offset) * step[1], (y + offset) * step[0], w, h);
      }
    }
  }
  return cxcywh(rows);
}
