import { xyxy, type Xyxy } from '../../geometry/box.js';
import type { Placement } from '../sample.js';

export interface Extent {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Extent {
  readonly left: number;
  readonly top: number;
}

/** How an image becomes the network's input: which of its pixels are used, where they land, and whether they are
 *  flipped. Stretch, letterbox, crop, zoom out and flip are all expressed by one frame, so that an image is decoded and
 *  resized once. */
export interface Frame extends Extent {
  /** Size of the upright image. */
  readonly image: Extent;
  /** The part of the upright image that is used: whole pixels, inside the image. */
  readonly region: Rect;
  /** Where that part lands in the input: whole pixels, inside the input. The rest of the input is padding. */
  readonly target: Rect;
  readonly flip: boolean;
}

/** Resizing by the shorter side: it becomes `min` pixels, unless the longer side would then exceed `max`. */
export interface SideLimits {
  readonly min: number;
  readonly max: number;
}

/** Factor from the image to the input, as in torchvision's GeneralizedRCNNTransform. */
export const shorterSideScale = ({ width, height }: Extent, { min, max }: SideLimits): number =>
  Math.min(min / Math.min(width, height), max / Math.max(width, height));

export type Resize = 'stretch' | 'letterbox' | 'crop' | 'shorterSide';

export interface FrameOptions {
  /** Pixels of the network's input. */
  readonly size: readonly [height: number, width: number];
  /** `stretch` fills the input and changes the proportions. The others keep them: `letterbox` pads evenly on both
   *  sides, `crop` takes the middle of the image, scaled by `cropFraction`, and `shorterSide` brings the sides within
   *  `limits` and pads to the right and below. */
  readonly resize?: Resize;
  readonly limits?: SideLimits | undefined;
  /** Share of the shorter side that `crop` keeps: 0.875 for 224 of 256 pixels. */
  readonly cropFraction?: number;
  /** The tile of the image that may be seen; it may reach beyond the image. Default: the image. */
  readonly view?: Rect | undefined;
  /** The part of the plane, in pixels of the image, that fills the input; it may reach beyond the view, where the input
   *  is padded. Default: the view. */
  readonly patch?: Rect;
  readonly flip?: boolean;
}

/** Plan how an image fills the input. Edges are rounded to whole pixels in the image and in the input; `placementOf`
 *  takes that into account. */
export function frameImage(
  image: Extent,
  {
    size: [height, width],
    resize = 'stretch',
    limits,
    cropFraction = 1,
    view = wholeOf(image),
    patch = resize === 'crop' ? middleOf(image, [height, width], cropFraction) : view,
    flip = false,
  }: FrameOptions,
): Frame {
  const region = roundInto(within(image, view), {
    left: patch.left,
    top: patch.top,
    right: patch.left + patch.width,
    bottom: patch.top + patch.height,
  });
  let scaleX = width / patch.width;
  let scaleY = height / patch.height;
  if (resize === 'letterbox' || resize === 'shorterSide') scaleX = scaleY = Math.min(scaleX, scaleY);
  if (resize === 'shorterSide' && limits) scaleX = scaleY = Math.min(scaleX, shorterSideScale(patch, limits));
  const before = resize === 'shorterSide' ? 0 : 0.5; // share of the padding that goes to the left and above
  const marginX = (width - patch.width * scaleX) * before;
  const marginY = (height - patch.height * scaleY) * before;
  const target = roundInto(wholeOf({ width, height }), {
    left: (region.left - patch.left) * scaleX + marginX,
    top: (region.top - patch.top) * scaleY + marginY,
    right: (region.left + region.width - patch.left) * scaleX + marginX,
    bottom: (region.top + region.height - patch.top) * scaleY + marginY,
  });
  return {
    width,
    height,
    image: { width: image.width, height: image.height },
    region,
    target: flip ? { ...target, left: width - target.left - target.width } : target,
    flip,
  };
}

export const wholeOf = ({ width, height }: Extent): Rect => ({ left: 0, top: 0, width, height });

/** The part of a view that lies inside the image. */
function within(image: Extent, view: Rect): Rect {
  const [left, top] = [Math.max(0, view.left), Math.max(0, view.top)];
  const right = Math.min(image.width, view.left + view.width);
  const bottom = Math.min(image.height, view.top + view.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** The largest part in the middle of the image with the input's proportions, scaled by `fraction`. */
function middleOf(image: Extent, [height, width]: readonly [number, number], fraction: number): Rect {
  const scale = Math.min(image.width / width, image.height / height) * fraction;
  const [w, h] = [width * scale, height * scale];
  return { left: (image.width - w) / 2, top: (image.height - h) / 2, width: w, height: h };
}

/** Pixels of the result. When libvips 8.18 enlarges an image, the result lies half a pixel too far right and down, on
 *  both axes even if only one grows (its vips_resize gives vips_affine the input offset without the output's). Boxes
 *  follow the pixels; a test measures it. */
const ENLARGING_SHIFT = 0.5;

/** The map from the upright image to the input; a flip is a negative scaleX. */
export function placementOf({ region, target, flip }: Frame): Placement {
  const scaleX = ((flip ? -1 : 1) * target.width) / region.width;
  const scaleY = target.height / region.height;
  const start = flip ? region.left + region.width : region.left; // the column of the image that lands at target.left
  const shift = target.width > region.width || target.height > region.height ? ENLARGING_SHIFT : 0;
  return {
    scaleX,
    scaleY,
    offsetX: target.left - start * scaleX + (flip ? -shift : shift),
    offsetY: target.top - region.top * scaleY + shift,
  };
}

/** Maps boxes [N,4] of the image to boxes [N,4] of the input, clipped to the frame's target. A box outside of it gets
 *  no area. */
export function placeBoxes(from: Xyxy, frame: Frame): Xyxy {
  const { scaleX, scaleY, offsetX, offsetY } = placementOf(frame);
  const { left, top, width, height } = frame.target;
  const to = new Float32Array(from.length);
  const clampX = (x: number) => Math.min(left + width, Math.max(left, x * scaleX + offsetX));
  const clampY = (y: number) => Math.min(top + height, Math.max(top, y * scaleY + offsetY));
  for (let i = 0; i < from.length; i += 4) {
    const x1 = clampX(from[i]!);
    const x2 = clampX(from[i + 2]!);
    to[i] = Math.min(x1, x2);
    to[i + 1] = clampY(from[i + 1]!);
    to[i + 2] = Math.max(x1, x2);
    to[i + 3] = clampY(from[i + 3]!);
  }
  return xyxy(to);
}

/** Rounds edges to whole pixels inside the bounds, at least one pixel apart. */
function roundInto(
  bounds: Rect,
  { left, top, right, bottom }: { left: number; top: number; right: number; bottom: number },
): Rect {
  const [mostX, mostY] = [bounds.left + bounds.width, bounds.top + bounds.height];
  const x = clamp(Math.round(left), bounds.left, mostX - 1);
  const y = clamp(Math.round(top), bounds.top, mostY - 1);
  return {
    left: x,
    top: y,
    width: clamp(Math.round(right), x + 1, mostX) - x,
    height: clamp(Math.round(bottom), y + 1, mostY) - y,
  };
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
