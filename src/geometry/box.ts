declare const kind: unique symbol;
/** Boxes are flat rows of four numbers, [N,4]. The brand of the type tells what the four mean; only this file converts
 *  between brands. */
type Boxes<K extends string> = Float32Array & { readonly [kind]: K };
/** Boxes as corners: x1, y1, x2, y2. */
export type Xyxy = Boxes<'xyxy'>;
/** Boxes as centre x, centre y, width, height, like anchors. */
export type Cxcywh = Boxes<'cxcywh'>;

const flat = (rows: ArrayLike<number>): Float32Array => (rows instanceof Float32Array ? rows : Float32Array.from(rows));

/** Declares rows [N,4] from outside (a file, a graph) to be corners. */
export const xyxy = (rows: ArrayLike<number>): Xyxy => flat(rows) as Xyxy;
/** Declares rows [N,4] from outside to be centres and sizes. */
export const cxcywh = (rows: ArrayLike<number>): Cxcywh => flat(rows) as Cxcywh;

/** Row i of rows of four numbers. */
export const rowOf = (rows: Float32Array, i: number): readonly [number, number, number, number] => [
  rows[4 * i]!,
  rows[4 * i + 1]!,
  rows[4 * i + 2]!,
  rows[4 * i + 3]!,
];

type Row = (a: number, b: number, c: number, d: number) => readonly [number, number, number, number];

function mapRows(from: Float32Array, row: Row): Float32Array {
  const to = new Float32Array(from.length);
  for (let i = 0; i < from.length; i += 4) to.set(row(from[i]!, from[i + 1]!, from[i + 2]!, from[i + 3]!), i);
  return to;
}

export const cxcywhToXyxy = (from: Cxcywh): Xyxy =>
  xyxy(mapRows(from, (cx, cy, w, h) => [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]));
export const xyxyToCxcywh = (from: Xyxy): Cxcywh =>
  cxcywh(mapRows(from, (x1, y1, x2, y2) => [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]));

/** Clips boxes to an image of this height and width. */
export const clipBoxes = (from: Xyxy, [height, width]: readonly [number, number]): Xyxy =>
  xyxy(from.map((value, i) => Math.min(Math.max(value, 0), i % 2 === 0 ? width : height)));

/** Intersection over union of row i of a and row j of b; 0 if either has no area. */
export function iou(a: Xyxy, i: number, b: Xyxy, j: number): number {
  const p = i * 4;
  const q = j * 4;
  const width = Math.min(a[p + 2]!, b[q + 2]!) - Math.max(a[p]!, b[q]!);
  const height = Math.min(a[p + 3]!, b[q + 3]!) - Math.max(a[p + 1]!, b[q + 1]!);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  const areaA = (a[p + 2]! - a[p]!) * (a[p + 3]! - a[p + 1]!);
  const areaB = (b[q + 2]! - b[q]!) * (b[q + 3]! - b[q + 1]!);
  return overlap / (areaA + areaB - overlap);
}
