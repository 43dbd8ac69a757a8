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

/** How an image becomes the network's input: which of its pixels, where they land, mirrored or not. Everything
 *  geometric (stretch, letterbox, crop, zoom out, flip) is one frame, so an image is decoded and resized once. */
export interface Frame extends Extent {
  /** Size of the upright image. */
  readonly image: Extent;
  /** Whole pixels of the upright image, inside it. */
  readonly region: Rect;
  /** Where they land: whole pixels of the input, inside it; what is outside is filled. */
  readonly target: Rect;
  readonly flip: boolean;
}

/** Resizing by the shorter side: it becomes `min`, unless the longer one would come to more than `max`. */
export interface SideLimits {
  readonly min: number;
  readonly max: number;
}

/** Factor from the image to the input, torchvision's GeneralizedRCNNTransform. */
export const shorterSideScale = ({ width, height }: Extent, { min, max }: SideLimits): number =>
  Math.min(min / Math.min(width, height), max / Math.max(width, height));

export type Resize = 'stretch' | 'letterbox' | 'crop' | 'shorterSide';

export interface FrameOptions {
  /** Pixels of the network's input. */
  readonly size: readonly [height: number, width: number];
  /** `stretch` fills the input, `letterbox` keeps the proportions and pads evenly on both sides, `crop` keeps them and cuts off what is
   *  left and right, or above and below, and `cropFraction` of the rest; `shorterSide` keeps them, brings the sides within `limits`, and pads
   *  to the right and below. */
  readonly resize?: Resize;
  readonly limits?: SideLimits | undefined;
  /** Share of the short side that a crop keeps: 0.875 for 224 of 256. */
  readonly cropFraction?: number;
  /** The part of the plane, in pixels of the image, that is to fill the input; it may reach beyond the image. Without it: the image. */
  readonly patch?: Rect;
  readonly flip?: boolean;
}

/** Plan how an image fills the input. Edges are rounded to whole pixels on both sides, and `placementOf` is exact about it. */
export function frameImage(
  image: Extent,
  {
    size: [height, width],
    resize = 'stretch',
    limits,
    cropFraction = 1,
    patch = resize === 'crop' ? middleOf(image, [height, width], cropFraction) : wholeOf(image),
    flip = false,
  }: FrameOptions,
): Frame {
  const region = roundInto(image, {
    left: patch.left,
    top: patch.top,
    right: patch.left + patch.width,
    bottom: patch.top + patch.height,
  });
  let scaleX = width / patch.width;
  let scaleY = height / patch.height;
  if (resize === 'letterbox' || resize === 'shorterSide') scaleX = scaleY = Math.min(scaleX, scaleY);
  if (resize === 'shorterSide' && limits) scaleX = scaleY = Math.min(scaleX, shorterSideScale(patch, limits));
  const before = resize === 'shorterSide' ? 0 : 0.5; // share of the padding that comes first
  const marginX = (width - patch.width * scaleX) * before;
  const marginY = (height - patch.height * scaleY) * before;
  const target = roundInto(
    { width, height },
    {
      left: (region.left - patch.left) * scaleX + marginX,
      top: (region.top - patch.top) * scaleY + marginY,
      right: (region.left + region.width - patch.left) * scaleX + marginX,
      bottom: (region.top + region.height - patch.top) * scaleY + marginY,
    },
  );
  return {
    width,
    height,
    image: { width: image.width, height: image.height },
    region,
    target: flip ? { ...target, left: width - target.left - target.width } : target,
    flip,
  };
}

const wholeOf = ({ width, height }: Extent): Rect => ({ left: 0, top: 0, width, height });

/** The largest part with the input's proportions, in the middle, made smaller by `fraction`. */
function middleOf(image: Extent, [height, width]: readonly [number, number], fraction: number): Rect {
  const scale = Math.min(image.width / width, image.height / height) * fraction;
  const [w, h] = [width * scale, height * scale];
  return { left: (image.width - w) / 2, top: (image.height - h) / 2, width: w, height: h };
}

/** libvips 8.18 enlarges half a pixel of the result too far right and down, on both axes even if only one grows (its
 *  vips_resize gives vips_affine the input offset without the output's). Boxes follow the pixels; a test measures it. */
const ENLARGING_SHIFT = 0.5;

/** The map from the upright image to the input that a frame stands for; a flip is a negative scaleX. */
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

/** Boxes [N,4] of the image as boxes [N,4] of the input, clipped to where image is; one that is outside has no area. */
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

/** Edges rounded to whole pixels inside the bounds, at least one pixel apart. */
function roundInto(
  bounds: Extent,
  { left, top, right, bottom }: { left: number; top: number; right: number; bottom: number },
): Rect {
  const x = clamp(Math.round(left), 0, bounds.width - 1);
  const y = clamp(Math.round(top), 0, bounds.height - 1);
  return {
    left: x,
    top: y,
    width: clamp(Math.round(right), x + 1, bounds.width) - x,
    height: clamp(Math.round(bottom), y + 1, bounds.height) - y,
  };
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
