import type { RandomStream } from '../../../random.js';
import { wholeOf, type Rect } from '../../image/frame.js';
import { drawDistortion, type Distortion } from './photometric.js';
import type { Annotation, Picture } from '../../sample.js';

/** Random changes to one training image: those of SSD (Liu et al. 2016, §2.2 and §3.6, arXiv:1512.02325), scale and
 *  blur. */
export interface ImageAugment {
  /** Probability of a left-right flip. */
  readonly flip?: number;
  /** Strength of the colour distortion, 0…1; 1 or true for SSD's ranges. */
  readonly photometric?: boolean | number;
  /** Probability of placing the image on a larger canvas. */
  readonly expand?: number;
  /** Probability of SSD's crop. */
  readonly iouCrop?: boolean | number;
  /** Range of the factor by which an image becomes larger or smaller than the input: [least, most]. */
  readonly scale?: readonly [number, number] | false;
  /** Probability of a Gaussian blur. */
  readonly blur?: number;
}

/** Random changes to the images with boxes of a run; strength.ts says how strong they are in an epoch. */
export interface BoxAugment extends ImageAugment {
  readonly kind: 'boxes';
  /** Probability that four images share the input. */
  readonly mosaic?: number;
  /** Probability that another image is blended in. */
  readonly mixup?: number;
  /** Probability that objects of another image are pasted on. */
  readonly copyPaste?: number;
  /** Probability that parts of the image are covered. */
  readonly cutout?: number;
  /** Number of epochs at the end without mosaic and mixup. */
  readonly closeMosaic?: number;
  /** Factor on all changes except the flip, in the first and in the last epoch, linear in between. At 1 the other
   *  options apply as they are. */
  readonly strength?: { readonly from: number; readonly to: number };
}

/** The changes to one image. All of them are drawn before a pixel is read, so that one decode applies them. */
export interface Augmentation {
  /** The part of the plane that becomes the input, in pixels of the image; beyond the image is fill. Undefined for the
   *  part that evaluation takes. */
  readonly patch: Rect | undefined;
  readonly flip: boolean;
  readonly distortion: Distortion | undefined;
  /** Standard deviation of the blur, pixels of the input. */
  readonly blur: number | undefined;
  /** Changes the pixels after they are decoded. */
  readonly retouch?: (picture: Picture) => Picture;
}

export interface BoxAugmentation extends Augmentation {
  readonly patch: Rect;
  /** Rows of the annotation's boxes that are still on the picture. */
  readonly kept: readonly number[];
}

/** Plan the augmentation of one image. The same random stream gives the same plan. */
export function planAugmentation(
  annotation: Annotation,
  { photometric = false, expand = 0, iouCrop = false, scale = false, ...look }: ImageAugment,
  random: RandomStream,
): BoxAugmentation {
  const distortion = photometric ? drawDistortion(random, Number(photometric)) : undefined;
  let patch: Rect = annotation.view ?? wholeOf(annotation);
  if (random.chance(expand)) patch = drawExpansion(patch, random);
  if (scale) patch = drawScale(patch, scale, random);
  if (iouCrop && (iouCrop === true || random.chance(iouCrop))) patch = drawCrop(patch, annotation, random);
  return planPatch(annotation, patch, look, random, distortion);
}

/** Plan the augmentation of one image of which the given part becomes the input. */
export function planPatch(
  annotation: Annotation,
  patch: Rect,
  { flip = 0, blur = 0 }: Pick<ImageAugment, 'flip' | 'blur'>,
  random: RandomStream,
  distortion: Distortion | undefined,
): BoxAugmentation {
  const flipped = random.chance(flip);
  const softness = blur > 0 && random.chance(blur) ? random.uniform(...BLUR) : undefined;
  return { patch, flip: flipped, distortion, blur: softness, kept: keptBoxes(annotation, patch) };
}

/** Standard deviations of the blur: from hardly to clearly visible at 320 pixels. libvips accepts no less than 0.3. */
const BLUR = [0.3, 1.5] as const;

/** SSD's zoom out: a canvas up to 4 times as wide and high, with the image anywhere on it. */
const MOST_EXPANSION = 4;

function drawExpansion({ width, height }: Rect, random: RandomStream): Rect {
  const ratio = random.uniform(1, MOST_EXPANSION);
  return {
    left: -random.uniform(0, width * (ratio - 1)),
    top: -random.uniform(0, height * (ratio - 1)),
    width: width * ratio,
    height: height * ratio,
  };
}

/** A random part of the canvas, or the canvas with padding around it. This is large-scale jitter (Ghiasi et al. 2021,
 *  §3, arXiv:2012.07177), but with a scale that is uniform in its logarithm, so that half and double are equally
 *  likely. */
function drawScale({ left, top, width, height }: Rect, [least, most]: readonly [number, number], random: RandomStream) {
  const scale = Math.exp(random.uniform(Math.log(least), Math.log(most)));
  return {
    left: left + random.next() * (width - width / scale),
    top: top + random.next() * (height - height / scale),
    width: width / scale,
    height: height / scale,
  };
}

/** The minimum IoU that some object must have with the crop: 0 for any crop, undefined for no crop. */
const cropIous = [undefined, 0, 0.1, 0.3, 0.5, 0.7, 0.9] as const;
/** Trials for a drawn IoU, after which another IoU is drawn; SSD has 50, torchvision 40. With 0.9 few crops fit. */
const CROP_TRIALS = 40;
const LEAST_SIDE = 0.3;
const MOST_ASPECT = 2;

/** SSD's crop: sides of 0.3…1 of the canvas, aspect ½…2, overlapping some object by the drawn IoU and holding its
 *  centre. An image without objects is not cropped: there is nothing to enlarge. */
function drawCrop(canvas: Rect, { boxes, ignore }: Annotation, random: RandomStream): Rect {
  const objects = ignore.flatMap((ignored, i) => (ignored ? [] : [i]));
  if (objects.length === 0) return canvas;
  for (;;) {
    const least = cropIous[random.integer(0, cropIous.length)];
    if (least === undefined) return canvas; // ends the loop: one draw in seven
    for (let trial = 0; trial < CROP_TRIALS; trial++) {
      const width = canvas.width * random.uniform(LEAST_SIDE, 1);
      const height = canvas.height * random.uniform(LEAST_SIDE, 1);
      const left = canvas.left + random.uniform(0, canvas.width - width);
      const top = canvas.top + random.uniform(0, canvas.height - height);
      const crop = { left, top, width, height };
      if (width > MOST_ASPECT * height || height > MOST_ASPECT * width) continue;
      if (objects.some((i) => holdsCentre(crop, boxes, i) && overlap(crop, boxes, i) >= least)) return crop;
    }
  }
}

/** The rows that stay: objects whose centre is on the patch, as in SSD, and ignored objects of which any part is on it,
 *  since a detection there must not count as false. */
function keptBoxes({ boxes, ignore }: Annotation, patch: Rect): number[] {
  return ignore.flatMap((ignored, i) =>
    (ignored ? overlap(patch, boxes, i) > 0 : holdsCentre(patch, boxes, i)) ? [i] : [],
  );
}

function holdsCentre({ left, top, width, height }: Rect, boxes: Float32Array, i: number): boolean {
  const x = (boxes[4 * i]! + boxes[4 * i + 2]!) / 2;
  const y = (boxes[4 * i + 1]! + boxes[4 * i + 3]!) / 2;
  return x > left && x < left + width && y > top && y < top + height;
}

/** IoU of a patch and a box. */
function overlap({ left, top, width, height }: Rect, boxes: Float32Array, i: number): number {
  const [x1, y1, x2, y2] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
  const w = Math.min(x2, left + width) - Math.max(x1, left);
  const h = Math.min(y2, top + height) - Math.max(y1, top);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (width * height + (x2 - x1) * (y2 - y1) - w * h);
}
