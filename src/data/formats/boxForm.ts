import { FinetuneError } from '../../errors.js';
import type { Findings } from '../findings.js';
import type { RawImage, RawObject, ReadPart } from '../rawDataset.js';

/** Share of the boxes that leave their images, as x, y, width and height, from which on they may be something else. */
const MANY = 0.2;
/** Share of the boxes that fit another form, from which on they are likely to have it. */
const MOST = 0.95;
/** Least number of boxes that leave their images, where they may be moved by half of their size. */
const FEW = 5;
/** Pixels by which a box may exceed its image. */
const ROUNDING = 1;

/** Reports boxes that are not what their layout says: corners in the place of width and height, which would be read as
 *  boxes that are too large, and shares of the image in the place of pixels. Boxes are clipped to their images, so that
 *  nobody would notice. Throws the problem where readers correct what is certain. */
export function checkBoxForm({ images, place }: ReadPart, findings: Findings): void {
  const all = images.flatMap((image) => image.objects.map((object) => ({ image, object })));
  const first = all.find(({ image, object }) => leaves(object, image)) ?? all[0];
  if (!first) return;
  const share = (test: (object: RawObject, image: RawImage) => boolean): number =>
    all.filter(({ image, object }) => test(object, image)).length / all.length;
  const say = (what: string, fix: string): void => {
    const { code, where = { file: place } } = first.object.problem('');
    const problem = { code, message: what, where, fix } as const;
    if (findings.mends) throw new FinetuneError(problem); // the boxes would be clipped, and look sound in the copy
    findings.problem(problem);
  };
  const out = share(leaves);
  const beyond = share(isBeyond);
  if (out >= MANY && share(areCorners) >= MOST)
    say(
      `${Math.round(out * all.length)} of ${all.length} boxes leave their images, but all fit as x1, y1, x2, y2`,
      'write boxes as x, y, width, height',
    );
  else if (beyond >= MANY && beyond * all.length >= FEW && share(fitsMoved(-0.5)) >= MOST)
    say(
      `${Math.round(beyond * all.length)} of ${all.length} boxes leave their images, but all fit if their places are those of their middles`,
      'write the left top corners of the boxes, or convert them from a layout that has their middles',
    );
  else if (beyond >= MANY && beyond * all.length >= FEW && share(fitsMoved(0.5)) >= MOST)
    say(
      `${Math.round(beyond * all.length)} of ${all.length} boxes leave their images, but all fit if their places are those of their left top corners`,
      'write the middles of the boxes, as this layout has them',
    );
  else if (share(areShares) >= MOST)
    say(
      'the boxes look like shares of the image, since no value is above 1',
      'write them in pixels: multiply x and width by the width of the image, y and height by its height',
    );
}

const leaves = ({ bbox: [x, y, w, h] }: RawObject, { width, height }: RawImage): boolean =>
  x + w > width + ROUNDING || y + h > height + ROUNDING;

const isBeyond = (object: RawObject, image: RawImage): boolean => !fitsMoved(0)(object, image);

/** Whether a box lies in its image if it is moved by a share of its size. */
const fitsMoved =
  (by: number) =>
  ({ bbox: [x, y, w, h] }: RawObject, { width, height }: RawImage): boolean => {
    const [left, top] = [x + by * w, y + by * h];
    const isOutside = left < -ROUNDING || top < -ROUNDING || left + w > width + ROUNDING || top + h > height + ROUNDING;
    return !isOutside;
  };

const areCorners = ({ bbox: [x1, y1, x2, y2] }: RawObject, { width, height }: RawImage): boolean =>
  x2 > x1 && y2 > y1 && x2 <= width + ROUNDING && y2 <= height + ROUNDING;

const areShares = ({ bbox }: RawObject, { width, height }: RawImage): boolean =>
  Math.min(width, height) > 8 &&
  bbox.every((value) => value >= 0 && value <= 1) &&
  bbox.some((value) => value % 1 !== 0);
