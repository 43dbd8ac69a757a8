import { rowOf, type Xyxy } from '../../geometry/box.js';
import type { AnchorLevel, DetectorAnchors } from './anchors.js';

/** COCO's sizes of objects, by their area in pixels of the stored image. */
export const OBJECT_SIZES = ['small', 'medium', 'large'] as const;
export type ObjectSize = (typeof OBJECT_SIZES)[number];

/** Objects as the network sees them. */
export interface PlacedBoxes {
  /** [N,4], in pixels of the input. */
  readonly boxes: Xyxy;
  /** [N]: the size of each object in its original image. */
  readonly sizes: readonly ObjectSize[];
}

/** How well anchors can match objects at best. */
export interface Ceiling {
  readonly objects: number;
  /** Share of the objects that some anchor overlaps by at least the head's threshold, 0…1; NaN without objects. */
  readonly recall: number;
  /** Mean IoU of each object with its best anchor; NaN without objects. */
  readonly meanIou: number;
}

export type CeilingBySize = Readonly<Record<'all' | ObjectSize, Ceiling>>;

const SMALL = 32 ** 2;
const LARGE = 96 ** 2;

/** The size of an object by its area: below 32² pixels it is small, above 96² large. */
export function objectSize(area: number): ObjectSize {
  if (area < SMALL) return 'small';
  return area > LARGE ? 'large' : 'medium';
}

/** IoU of a box with its best anchor. Among anchors of one shape this is the one with the nearest centre, because the
 *  common area shrinks with the distance on either axis; so one anchor of each shape is compared. */
export function bestIou(levels: readonly AnchorLevel[], boxes: Xyxy, row: number): number {
  const [x1, y1, x2, y2] = rowOf(boxes, row);
  const area = (x2 - x1) * (y2 - y1);
  let best = 0;
  for (const { grid, step, offset, shapes } of levels) {
    const cx = nearestCentre((x1 + x2) / 2, grid.width, step[1], offset);
    const cy = nearestCentre((y1 + y2) / 2, grid.height, step[0], offset);
    for (const [w, h] of shapes) {
      const width = Math.min(x2, cx + w / 2) - Math.max(x1, cx - w / 2);
      const height = Math.min(y2, cy + h / 2) - Math.max(y1, cy - h / 2);
      if (width <= 0 || height <= 0) continue;
      const common = width * height;
      best = Math.max(best, common / (area + w * h - common));
    }
  }
  return best;
}

const nearestCentre = (at: number, cells: number, step: number, offset: number): number =>
  (Math.min(Math.max(Math.round(at / step - offset), 0), cells - 1) + offset) * step;

/** The recall that a detector's anchors allow, before any training, for all objects and by their size. Every head with
 *  anchors also gives each box its best anchor, however small their IoU; the mean IoU says how good those are. */
export function recallCeiling({ levels, threshold }: DetectorAnchors, { boxes, sizes }: PlacedBoxes): CeilingBySize {
  const sums = { all: blank(), small: blank(), medium: blank(), large: blank() };
  for (const [row, size] of sizes.entries()) {
    const overlap = bestIou(levels, boxes, row);
    for (const sum of [sums.all, sums[size]]) {
      sum.objects++;
      sum.overlap += overlap;
      if (overlap >= threshold) sum.matched++;
    }
  }
  const share = ({ objects, matched, overlap }: ReturnType<typeof blank>): Ceiling => ({
    objects,
    recall: matched / objects,
    meanIou: overlap / objects,
  });
  return { all: share(sums.all), small: share(sums.small), medium: share(sums.medium), large: share(sums.large) };
}

const blank = () => ({ objects: 0, matched: 0, overlap: 0 });
