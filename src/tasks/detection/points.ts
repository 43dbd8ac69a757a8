import { rowOf, xyxy, type Xyxy } from '../../geometry/box.js';

/** A feature map that a detector without anchors predicts on. */
export interface PointLevel {
  /** Rows and columns. */
  readonly height: number;
  readonly width: number;
  /** Pixels of the input per cell: the unit of the level's distances. */
  readonly stride: number;
}

/** The points from which a detector without anchors predicts boxes, one for each cell: level after level, row after row. */
export interface Points {
  /** [P, 2]: x and y, pixels of the input. */
  readonly centres: Float32Array;
  /** [P]: stride of the point's level. */
  readonly strides: Float32Array;
  /** [P]: index of the point's level, the finest first. */
  readonly levels: Uint8Array;
}

/** The points of all levels. As in torchvision they lie at the first pixel of each cell, and cells are a whole number of pixels apart. */
export function placePoints(levels: readonly PointLevel[], [height, width]: readonly [number, number]): Points {
  const centres: number[] = [];
  const strides: number[] = [];
  const indices: number[] = [];
  for (const [index, level] of levels.entries()) {
    const [down, right] = [Math.floor(height / level.height), Math.floor(width / level.width)];
    for (let y = 0; y < level.height; y++) {
      for (let x = 0; x < level.width; x++) {
        centres.push(x * right, y * down);
        strides.push(level.stride);
        indices.push(index);
      }
    }
  }
  return { centres: new Float32Array(centres), strides: new Float32Array(strides), levels: new Uint8Array(indices) };
}

/** Distances of the point `i` to the left, upper, right and lower side of row `j` of `boxes`, in strides; negative outside of the box. */
export function distancesOf(
  { centres, strides }: Points,
  i: number,
  boxes: Xyxy,
  j: number,
): [number, number, number, number] {
  const [x, y, stride] = [centres[i * 2]!, centres[i * 2 + 1]!, strides[i]!];
  const [left, top, right, bottom] = rowOf(boxes, j);
  return [(x - left) / stride, (y - top) / stride, (right - x) / stride, (bottom - y) / stride];
}

/** Distances of each point to the sides of the box that it is matched with: `matches` [P], a row of `truth` [N,4], negative for none → [P,4],
 *  with zeros where there is none. */
export function encodeDistances(points: Points, matches: Int32Array, truth: Xyxy): Float32Array {
  const encoded = new Float32Array(matches.length * 4);
  for (const [i, match] of matches.entries()) if (match >= 0) encoded.set(distancesOf(points, i, truth, match), i * 4);
  return encoded;
}

/** The box that the point `i` predicts by row `i` of `distances` [P,4] → [1,4], pixels of the input. */
export function decodeDistances(distances: Float32Array, { centres, strides }: Points, i: number): Xyxy {
  const [x, y, stride] = [centres[i * 2]!, centres[i * 2 + 1]!, strides[i]!];
  const [left, top, right, bottom] = rowOf(distances, i);
  return xyxy([x - left * stride, y - top * stride, x + right * stride, y + bottom * stride]);
}
