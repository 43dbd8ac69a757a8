import { isSameProportion, isTurnedByExif } from './checkSize.js';
import type { Extent } from './frame.js';
import type { ImageHeader } from './image.js';

/** x, y, width, height in pixels. */
export type Bbox = readonly [x: number, y: number, width: number, height: number];

/** How labels that state another size than their image has become right. */
export interface SizeRepair {
  /** What was done and what makes it certain. */
  readonly why: string;
  /** Where a box goes; absent if the boxes stay. */
  readonly move?: (box: Bbox) => Bbox;
}

/** Pixels by which rounding may let a box reach beyond its image. */
const ROUNDING = 1;

/** The repair of a wrong size, if there is only one that fits the boxes: they were drawn on an image of the stated size
 *  (then they lie inside it), or on the image as it is. Undefined where both or neither may be true. */
export function repairSize(said: Extent, header: ImageHeader, boxes: readonly Bbox[]): SizeRepair | undefined {
  const isOfStated = fits(boxes, said);
  const isOfImage = fits(boxes, header);
  if (boxes.length === 0) return { why: 'the size is that of the image; there are no boxes' };
  if (isTurnedByExif(said, header) && isOfStated)
    return {
      why: `the boxes are turned as EXIF orientation ${header.orientation} turns the image, since the stated size is that of the pixels as they are stored`,
      move: TURNS[header.orientation]!(said),
    };
  if (isOfImage && !isOfStated)
    return { why: 'the size is that of the image, since all boxes fit into it, but not into the stated size' };
  if (isOfStated && isSameProportion(said, header) && (!isOfImage || header.width > said.width)) {
    const [sx, sy] = [header.width / said.width, header.height / said.height];
    return {
      why: `the boxes are multiplied by ${Number(sx.toPrecision(4))}, since the image has the proportions of the stated size, and all boxes fit into that`,
      move: ([x, y, w, h]) => [x * sx, y * sy, w * sx, h * sy],
    };
  }
  return undefined;
}

const fits = (boxes: readonly Bbox[], { width, height }: Extent): boolean =>
  boxes.every(([x, y, w, h]) => Math.min(x, y) >= -ROUNDING && x + w <= width + ROUNDING && y + h <= height + ROUNDING);

/** How the EXIF orientations that exchange the sides move a box of the stored pixels (EXIF 2.32, tag 274). */
const TURNS: Readonly<Record<number, (stored: Extent) => (box: Bbox) => Bbox>> = {
  5:
    () =>
    ([x, y, w, h]) => [y, x, h, w],
  6:
    ({ height }) =>
    ([x, y, w, h]) => [height - y - h, x, h, w],
  7:
    ({ width, height }) =>
    ([x, y, w, h]) => [height - y - h, width - x - w, h, w],
  8:
    ({ width }) =>
    ([x, y, w, h]) => [y, width - x - w, h, w],
};
