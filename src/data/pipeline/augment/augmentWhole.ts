import type { RandomStream } from '../../../random.js';
import type { Augmentation } from './augment.js';
import type { Extent, Rect } from '../../image/frame.js';
import { drawRandAugment, type RandAugmentOptions } from './randAugment.js';
import type { Picture } from '../../sample.js';
import { meanColour } from '../../image/meanColour.js';
import type { Distortion } from './photometric.js';

/** Random changes to a training image that has one class and no boxes. */
export interface WholeImageAugment {
  readonly kind: 'wholeImage';
  /** Range of the share of the image's area that a random crop keeps; false for the crop that evaluation takes. */
  readonly cropArea: readonly [number, number] | false;
  /** Probability of a left-right flip. */
  readonly flip: number;
  /** Strength of random brightness, contrast and saturation, 0…1. */
  readonly colour: number;
  readonly randAugment: RandAugmentOptions | false;
  /** Side of a square hole, as a share of the input's shorter side. */
  readonly cutout: number;
  /** α of the Beta distribution from which the shares of mixed images are drawn; 0 for no Mixup. */
  readonly mixup: number;
  /** α of the Beta distribution from which the areas of pasted rectangles are drawn; 0 for no CutMix. */
  readonly cutmix: number;
}

/** Plan the augmentation of one image. The same random stream gives the same plan. */
export function planWholeImage(
  image: Extent,
  { cropArea, flip, colour, randAugment, cutout }: WholeImageAugment,
  random: RandomStream,
): Augmentation {
  const patch = cropArea ? drawCrop(image, cropArea, random) : undefined;
  const flipped = random.chance(flip);
  const distortion = colour > 0 ? drawColours(colour, random) : undefined;
  const operations = randAugment ? drawRandAugment(randAugment, random) : [];
  const hole = cutout > 0 ? ([random.next(), random.next()] as const) : undefined;
  const changes = operations.length > 0 || hole !== undefined;
  const retouch = (picture: Picture): Picture => {
    const changed = operations.reduce((before, operation) => operation(before), picture);
    return hole ? cutHole(changed, hole, cutout) : changed;
  };
  return { patch, flip: flipped, distortion, blur: undefined, ...(changes && { retouch }) };
}

const LEAST_ASPECT = 3 / 4;
const TRIALS = 10;

/** A random crop as in Szegedy et al. 2015 (arXiv:1409.4842), section 6, drawn as in torchvision: the area is uniform,
 *  the aspect log-uniform in ¾…4⁄3. If no crop of ten fits, the largest part in the middle whose aspect is in that
 *  range. */
function drawCrop({ width, height }: Extent, [least, most]: readonly [number, number], random: RandomStream): Rect {
  for (let trial = 0; trial < TRIALS; trial++) {
    const area = width * height * random.uniform(least, most);
    const aspect = Math.exp(random.uniform(Math.log(LEAST_ASPECT), -Math.log(LEAST_ASPECT)));
    const [w, h] = [Math.sqrt(area * aspect), Math.sqrt(area / aspect)];
    if (w > width || h > height) continue;
    return { left: random.uniform(0, width - w), top: random.uniform(0, height - h), width: w, height: h };
  }
  const [w, h] = [Math.min(width, height / LEAST_ASPECT), Math.min(height, width / LEAST_ASPECT)];
  return { left: (width - w) / 2, top: (height - h) / 2, width: w, height: h };
}

/** Maximum change of brightness, of 255, at strength 1: half the way to white or black. */
const BRIGHTEST = 128;

const drawColours = (strength: number, random: RandomStream): Distortion => ({
  brightness: random.uniform(-1, 1) * strength * BRIGHTEST,
  contrast: random.uniform(1 - strength, 1 + strength),
  contrastFirst: random.chance(0.5),
  saturation: random.uniform(1 - strength, 1 + strength),
  hue: undefined,
});

/** Covers a square as in DeVries & Taylor 2017 (arXiv:1708.04552): its centre is anywhere on the picture, so it may
 *  reach beyond the edge. */
function cutHole({ data, width, height }: Picture, [u, v]: readonly [number, number], share: number): Picture {
  const side = share * Math.min(width, height);
  const [left, right] = span(u * width, side, width);
  const [top, bottom] = span(v * height, side, height);
  const cut = data.slice();
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) cut.set(meanColour, (y * width + x) * 3);
  }
  return { data: cut, width, height };
}

const span = (centre: number, side: number, length: number): [from: number, to: number] => [
  Math.max(0, Math.round(centre - side / 2)),
  Math.min(length, Math.round(centre + side / 2)),
];
