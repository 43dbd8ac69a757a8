import { CocoError } from './errors.js';
import { boxIou } from './boxIou.js';
import { runsFromBbox, runsFromPolygon } from './polygon.js';
import { decodeRuns, encodeRuns, mergeRuns, runsArea, runsIou, runsToBbox, type Runs } from './rle.js';
import { runsFromString, runsToString } from './rleString.js';
import type { Rle, UncompressedRle } from './types.js';

/** A binary mask, one byte per pixel. `data` is column-major like COCO's codes: pixel (x, y) is at x · height + y. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

type Box = ArrayLike<number>; // [x, y, width, height]

/** Run-length code of one mask or of several. Throws E_COCO_MASK if data and size disagree. */
export function encode(mask: Mask): Rle;
export function encode(masks: readonly Mask[]): Rle[];
export function encode(masks: Mask | readonly Mask[]): Rle | Rle[] {
  return overOneOrMany(masks, ({ data, height, width }) => toRle(encodeRuns(data, height, width)));
}

/** Mask of one code or of several. Throws E_COCO_RLE if a code does not fit its size. */
export function decode(rle: Rle): Mask;
export function decode(rles: readonly Rle[]): Mask[];
export function decode(rles: Rle | readonly Rle[]): Mask | Mask[] {
  return overOneOrMany(rles, (rle) => {
    const runs = toRuns(rle);
    return { height: runs.height, width: runs.width, data: decodeRuns(runs) };
  });
}

/** Union of masks of one size, or their intersection. */
export function merge(rles: readonly Rle[], intersect = false): Rle {
  return toRle(mergeRuns(rles.map(toRuns), intersect));
}

/** Area of one mask or of several, in pixels. */
export function area(rle: Rle): number;
export function area(rles: readonly Rle[]): number[];
export function area(rles: Rle | readonly Rle[]): number | number[] {
  return overOneOrMany(rles, (rle) => runsArea(toRuns(rle)));
}

/** Box [x, y, width, height] around one mask, or around each of several. */
export function toBbox(rle: Rle): number[];
export function toBbox(rles: readonly Rle[]): number[][];
export function toBbox(rles: Rle | readonly Rle[]): number[] | number[][] {
  return overOneOrMany(rles, (rle) => {
    const box = new Float64Array(4);
    runsToBbox(toRuns(rle), box, 0);
    return [...box];
  });
}

/** Intersection over union of every detection with every ground truth, both boxes or both codes, [D, G] row-major. With
 *  `iscrowd` [G] it is over the detection's area alone. Masks of different sizes give −1, as in upstream.
 *  Throws E_COCO_MASK if `iscrowd` does not have one flag for each ground truth. */
export function iou(dt: readonly Box[], gt: readonly Box[], iscrowd: readonly (number | boolean)[]): Float64Array;
export function iou(dt: readonly Rle[], gt: readonly Rle[], iscrowd: readonly (number | boolean)[]): Float64Array;
export function iou(
  dt: readonly Rle[] | readonly Box[],
  gt: readonly Rle[] | readonly Box[],
  iscrowd: readonly (number | boolean)[],
): Float64Array {
  if (iscrowd.length !== gt.length) {
    throw new CocoError({
      code: 'E_COCO_MASK',
      message: `${iscrowd.length} crowd flags for ${gt.length} masks or boxes`,
    });
  }
  const crowd = Uint8Array.from(iscrowd, (flag) => (flag ? 1 : 0));
  const out = new Float64Array(dt.length * gt.length);
  if (out.length === 0) return out;
  if (allRles(dt) && allRles(gt)) {
    maskIou(dt.map(toMaskShape), gt.map(toMaskShape), crowd, out);
    return out;
  }
  if (allRles(dt) || allRles(gt)) {
    throw new CocoError({
      code: 'E_COCO_MASK',
      message: 'iou needs two lists of boxes or two lists of run-length codes',
    });
  }
  boxIou(flattenBoxes(dt), flattenBoxes(gt), crowd, out);
  return out;
}

/** Codes of polygons (more than four numbers), boxes (four numbers) or uncompressed run lengths, in pixels of an image
 *  of height × width. One object gives one code, a list of objects gives a list. Unlike in upstream, boxes may be plain
 *  arrays. */
export function frPyObjects(object: UncompressedRle | readonly number[], height: number, width: number): Rle;
export function frPyObjects(
  objects: readonly UncompressedRle[] | readonly (readonly number[])[],
  height: number,
  width: number,
): Rle[];
export function frPyObjects(
  objects: UncompressedRle | readonly number[] | readonly UncompressedRle[] | readonly (readonly number[])[],
  height: number,
  width: number,
): Rle | Rle[] {
  if (isList(objects) && typeof objects[0] !== 'number') {
    return (objects as readonly (UncompressedRle | readonly number[])[]).map((object) =>
      toRle(objectToRuns(object, height, width)),
    );
  }
  return toRle(objectToRuns(objects as UncompressedRle | readonly number[], height, width));
}

/** The pixels of a mask row by row: (x, y) is at y · width + x, as in canvases and image libraries. */
export function toRowMajor({ height, width, data }: Mask): Uint8Array {
  return transpose(data, width, height);
}

/** Makes a mask of pixels that are stored row by row. */
export function fromRowMajor(data: Uint8Array, height: number, width: number): Mask {
  return { height, width, data: transpose(data, height, width) };
}

/** Transposes [rows, columns] to [columns, rows], both row-major. */
function transpose(data: Uint8Array, rows: number, columns: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]!;
  }
  return out;
}

/** The runs of a code. Throws E_COCO_RLE if it is damaged. */
export function toRuns({ size: [height, width], counts }: Rle): Runs {
  return runsFromString(counts, height, width);
}

export function toRle(runs: Runs): Rle {
  return { size: [runs.height, runs.width], counts: runsToString(runs) };
}

/** The runs of run lengths that are stored as numbers. Like maskApi, this does not check that they fill the size. */
export function runsFromCounts({ size: [height, width], counts }: UncompressedRle): Runs {
  const bad = counts.findIndex((count) => !(count >= 0 && count <= 0xffffffff && Number.isInteger(count)));
  if (bad >= 0) throw new CocoError({ code: 'E_COCO_RLE', message: `run ${bad} is ${counts[bad]}, not a pixel count` });
  return { height, width, counts: Uint32Array.from(counts) };
}

function objectToRuns(object: UncompressedRle | readonly number[], height: number, width: number): Runs {
  if (!isList(object)) return runsFromCounts(object);
  return object.length === 4 ? runsFromBbox(object, height, width) : runsFromPolygon(object, height, width);
}

/** A mask with its box, which comparisons need repeatedly. */
export interface MaskShape {
  readonly runs: Runs;
  readonly box: Float64Array; // [4]
}

export function maskShape(runs: Runs): MaskShape {
  const box = new Float64Array(4);
  runsToBbox(runs, box, 0);
  return { runs, box };
}

const toMaskShape = (rle: Rle): MaskShape => maskShape(toRuns(rle));

/** Writes the IoU of masks [D, G] to `out`; runs are compared only if the boxes overlap. maskApi.c, rleIou. */
export function maskIou(
  dt: readonly MaskShape[],
  gt: readonly MaskShape[],
  crowd: Uint8Array,
  out: Float64Array,
): void {
  boxIou(flattenBoxes(dt.map(({ box }) => box)), flattenBoxes(gt.map(({ box }) => box)), crowd, out);
  for (let d = 0; d < dt.length; d++) {
    const detection = dt[d]!.runs;
    for (let g = 0; g < gt.length; g++) {
      const at = d * gt.length + g;
      if (!(out[at]! > 0)) continue;
      const truth = gt[g]!.runs;
      const sameSize = detection.height === truth.height && detection.width === truth.width;
      out[at] = sameSize ? runsIou(detection, truth, crowd[g] === 1) : -1;
    }
  }
}

function flattenBoxes(boxes: readonly Box[]): Float64Array {
  const flat = new Float64Array(boxes.length * 4);
  for (let i = 0; i < boxes.length; i++) flat.set(boxes[i]!, i * 4);
  return flat;
}

function allRles(objects: readonly Rle[] | readonly Box[]): objects is readonly Rle[] {
  return 'counts' in objects[0]!;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function overOneOrMany<T extends object, R>(input: T | readonly T[], one: (item: T) => R): R | R[] {
  return isList(input) ? input.map(one) : one(input);
}
