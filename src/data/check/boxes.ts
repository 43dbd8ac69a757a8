import { iou, xyxy } from '../../geometry/box.js';
import { tilesOf, type Tiling } from '../../geometry/tiles.js';
import { frameImage, type FrameOptions } from '../image/frame.js';
import type { RawImage, RawObject } from '../rawDataset.js';
import type { Say } from './remark.js';
import type { PartName } from '../sample.js';

/** Sums over the boxes of one category; means are taken at the end. */
interface Tally {
  images: number;
  objects: number;
  ignored: number;
  width: number;
  height: number;
  inputWidth: number;
  inputHeight: number;
}

export interface CategoryStats {
  readonly name: string;
  /** Number of images that show it. */
  readonly images: number;
  /** Number of objects, without the ignored ones. */
  readonly objects: number;
  /** Number of crowd regions and difficult objects. */
  readonly ignored: number;
  /** Mean size in pixels of the image, and of the network's input; 0 without objects. */
  readonly meanWidth: number;
  readonly meanHeight: number;
  readonly meanInputWidth: number;
  readonly meanInputHeight: number;
}

export interface BoxCheck {
  /** Must be called for each image of the part. */
  inspect(image: RawImage, learned: readonly RawObject[]): void;
  /** Reports what only the whole part shows. Must be called after the last image. */
  finish(): void;
  stats(names: readonly string[]): CategoryStats[];
  /** Number of objects by category name, including categories that are not learned. */
  readonly named: ReadonlyMap<string, number>;
}

/** IoU above which two boxes are taken for one object that was drawn twice. */
const SAME_IOU = 0.9;
/** Pixels of the input. A smaller object matches hardly any anchor, and covers half a cell of the finest level (stride
 *  16 mostly). */
const TINY_SIDE = 8;
/** Pixels of the input below which an object is not learned at all. */
const LEAST_SIDE = 1;
/** Shares of a part's objects above which a warning is shown. */
const MANY_TINY = 0.1;
const MANY_BEYOND = 0.25;

/** How images reach the network. */
export interface CheckedFrame extends Pick<FrameOptions, 'size' | 'resize' | 'limits'> {
  readonly tiles?: Tiling | undefined;
}

/** Checks the boxes of one part at an input size, and reports what is suspicious to `say`. */
export function checkBoxes(part: PartName, { tiles, ...frame }: CheckedFrame, say: Say): BoxCheck {
  const tallies = new Map<string, Tally>();
  const named = new Map<string, number>();
  const shares = { objects: 0, tiny: 0, beyond: 0, cornersFit: 0, unit: 0 };
  return {
    named,
    inspect(image, learned) {
      for (const { category } of image.objects) named.set(category, (named.get(category) ?? 0) + 1);
      findDoubles(part, learned, say);
      const seen = new Set<string>();
      const isCut = tiles && Math.max(image.width, image.height) > tiles.size;
      const { target, region } = frameImage(image, { ...frame, view: isCut ? tilesOf(image, tiles)[0] : undefined });
      for (const object of learned) {
        const [x, y, w, h] = object.bbox;
        const tally = tallyOf(tallies, object.category);
        if (!seen.has(object.category)) tally.images++;
        seen.add(object.category);
        if (object.iscrowd === 1 || object.ignore === 1) {
          tally.ignored++;
          continue;
        }
        const width = (w * target.width) / region.width;
        const height = (h * target.height) / region.height;
        tally.objects++;
        tally.width += w;
        tally.height += h;
        tally.inputWidth += width;
        tally.inputHeight += height;
        shares.objects++;
        const side = Math.min(width, height);
        if (side < TINY_SIDE) shares.tiny++;
        if (side < LEAST_SIDE) sayInvisible(part, object, [width, height], frame.size, say);
        if (x + w > image.width + 1 || y + h > image.height + 1) shares.beyond++;
        if (w > x && h > y && w <= image.width && h <= image.height) shares.cornersFit++;
        if (Math.max(x + w, y + h) <= 1) shares.unit++;
      }
    },
    finish() {
      const { objects, tiny, beyond, cornersFit, unit } = shares;
      const percent = (count: number) => `${((100 * count) / objects).toFixed(0)} % of the ${objects} objects`;
      const [height, width] = frame.size;
      const warn = (code: `W_${string}`, message: string, fix: string) =>
        say({ level: 'warning', part, code, message, fix });
      if (objects === 0) return;
      if (unit === objects)
        warn(
          'W_BOX_FORMAT',
          'all boxes lie within one pixel: they look normalised to 0…1',
          'multiply them by the size of the image',
        );
      else if (beyond > MANY_BEYOND * objects && cornersFit === objects)
        warn(
          'W_BOX_FORMAT',
          `${percent(beyond)} reach beyond their image, but all of them would fit if they were x1, y1, x2, y2`,
          'write boxes as x, y, width, height',
        );
      if (tiny > MANY_TINY * objects)
        warn(
          'W_BOX_TINY',
          `${percent(tiny)} are less than ${TINY_SIDE} pixels wide or high at ${width}x${height}`,
          'raise data.size, or cut the images into tiles',
        );
    },
    stats: (names) => names.map((name) => mean(name, tallies.get(name))),
  };
}

function findDoubles(part: PartName, objects: readonly RawObject[], say: Say): void {
  const boxes = xyxy(objects.flatMap(({ bbox: [x, y, w, h] }) => [x, y, x + w, y + h]));
  objects.forEach((object, i) => {
    if (object.iscrowd === 1) return;
    const j = objects.findIndex((other, k) => k < i && other.iscrowd === 0 && iou(boxes, k, boxes, i) > SAME_IOU);
    if (j < 0) return;
    const { category } = objects[j]!;
    const same = category === object.category;
    const { message, where } = object.problem(
      same ? `the same box as object ${j + 1}` : `the same box as object ${j + 1}, which is "${category}"`,
    );
    const code = same ? 'W_BOX_DUPLICATE' : 'W_BOX_CONFLICT';
    const fix = same ? 'remove one of them' : 'remove the wrong one, unless both are right';
    say({ level: 'warning', part, code, message, fix, ...(where && { where }) });
  });
}

function sayInvisible(
  part: PartName,
  object: RawObject,
  [w, h]: readonly [number, number],
  [height, width]: readonly [number, number],
  say: Say,
): void {
  const { message, where } = object.problem(
    `${w.toFixed(2)}x${h.toFixed(2)} pixels at ${width}x${height}: too small to learn, so it is ignored`,
  );
  say({ level: 'warning', part, code: 'W_BOX_INVISIBLE', message, ...(where && { where }) });
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  const known = tallies.get(name);
  if (known) return known;
  const fresh = { images: 0, objects: 0, ignored: 0, width: 0, height: 0, inputWidth: 0, inputHeight: 0 };
  tallies.set(name, fresh);
  return fresh;
}

function mean(name: string, tally: Tally | undefined): CategoryStats {
  const { images = 0, objects = 0, ignored = 0 } = tally ?? {};
  const per = (sum: number | undefined) => (objects === 0 ? 0 : sum! / objects);
  return {
    name,
    images,
    objects,
    ignored,
    meanWidth: per(tally?.width),
    meanHeight: per(tally?.height),
    meanInputWidth: per(tally?.inputWidth),
    meanInputHeight: per(tally?.inputHeight),
  };
}
