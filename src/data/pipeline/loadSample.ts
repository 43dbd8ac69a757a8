import { xyxy } from '../../geometry/box.js';
import { FinetuneError } from '../../errors.js';
import type { RandomStream } from '../../random.js';
import { planAugmentation, type Augmentation, type ImageAugment } from './augment/augment.js';
import { planWholeImage, type WholeImageAugment, type WholeImagePlan } from './augment/augmentWhole.js';
import { frameImage, placeBoxes, placementOf, type Frame, type FrameOptions } from '../image/frame.js';
import { decodeImage, readImageSize } from '../image/image.js';
import type { Annotation, ClassIndex, Sample } from '../sample.js';
import type { TextAugment } from './augment/augmentText.js';
import { loadTextSample } from './textSample.js';

export interface SampleOptions extends Pick<FrameOptions, 'size' | 'resize' | 'limits' | 'cropFraction'> {
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  /** Random changes, drawn from `random`; false or absent for none. */
  readonly augment?: ImageAugment | WholeImageAugment | TextAugment | false;
  readonly random?: RandomStream;
  /** What was drawn elsewhere, instead of `augment`. */
  readonly plan?: Augmentation | undefined;
  /** Hold the annotation's width and height against the image's header first. */
  readonly checkSize?: boolean;
  /** Whether somebody has what would be computed from the pixels: the picture is then left empty. */
  readonly isKnown?: ((flipped: boolean) => boolean) | undefined;
}

/** Read one image at the input's size, with the boxes that are on it; an object that is less than a pixel wide or high there
 *  becomes an ignored one. The picture is decoded, cropped and resized off the
 *  main thread in one call, which is made before this function returns its promise.
 *  Throws E_IMAGE_MISSING, E_IMAGE_DECODE, or E_IMAGE_SIZE if the annotation and the image disagree about the size. */
export async function loadSample(
  annotation: Annotation,
  { augment = false, random, plan: drawn, checkSize = false, isKnown, interpolation, ...placing }: SampleOptions,
): Promise<Sample> {
  if (annotation.words) {
    if (checkSize) await assertSize(annotation);
    return loadTextSample(annotation, placing.size, {
      augment: augment && 'zoom' in augment ? augment : false,
      random,
    });
  }
  const plan = drawn ?? (augment && !('zoom' in augment) && random ? planFor(annotation, augment, random) : undefined);
  const { patch, flip = false } = plan ?? {};
  const frame = frameImage(annotation, { ...placing, flip, ...(patch && { patch }) });
  // Both are dispatched at once; the size's verdict comes first, since a wrong size can make the crop itself fail.
  const pixels = isKnown?.(flip)
    ? NO_PICTURE
    : decodeImage(annotation.file, frame, { interpolation, distortion: plan?.distortion, blur: plan?.blur });
  if (checkSize) {
    pixels.catch(() => undefined);
    await assertSize(annotation);
  }
  const decoded = await pixels;
  const picture = plan?.retouch ? plan.retouch(decoded) : decoded;
  return {
    imageId: annotation.imageId,
    file: annotation.file,
    picture,
    ...placeObjects(annotation, plan?.kept ?? annotation.classes.map((_, i) => i), frame),
    ...(annotation.label !== undefined && { label: annotation.label }),
    flipped: flip,
    originalWidth: annotation.width,
    originalHeight: annotation.height,
    placement: placementOf(frame),
  };
}

/** Options for whole images have a crop of their own, on or off. */
const planFor = (
  annotation: Annotation,
  augment: ImageAugment | WholeImageAugment,
  random: RandomStream,
): Augmentation | WholeImagePlan =>
  'cropArea' in augment ? planWholeImage(annotation, augment, random) : planAugmentation(annotation, augment, random);

const NO_PICTURE = Promise.resolve({ data: new Uint8Array(0), width: 0, height: 0 });

async function assertSize({ file, width, height }: Annotation): Promise<void> {
  const actual = await readImageSize(file);
  if (actual.width === width && actual.height === height) return;
  const turned = actual.width === height && actual.height === width;
  throw new FinetuneError({
    code: 'E_IMAGE_SIZE',
    message: `the image is ${actual.width}x${actual.height}, its annotation says ${width}x${height}`,
    where: { file },
    fix: turned
      ? 'its EXIF orientation turns it: annotate the upright image, or remove the orientation if the boxes were drawn without it'
      : 'the boxes belong to another version of the image; set data.brokenImages: drop to leave it out (the report counts it)',
  });
}

/** Pixels of the input. Less of an object cannot be seen, and its offsets (log of the size) would drown the others' loss. */
const LEAST_SIDE = 1;

/** The objects that are left of `kept` rows, in pixels of the input: what has no area there is gone, what is less than a pixel wide or high is ignored. */
export function placeObjects({ boxes: from, classes, ignore }: Annotation, kept: readonly number[], frame: Frame) {
  const corners: number[] = [];
  const rows: { readonly classIndex: ClassIndex; readonly ignored: boolean }[] = [];
  for (const row of kept) {
    const [x1, y1, x2, y2] = placeBoxes(xyxy(from.subarray(row * 4, row * 4 + 4)), frame) as Iterable<number>;
    if (x2! <= x1! || y2! <= y1!) continue;
    corners.push(x1!, y1!, x2!, y2!);
    const side = Math.min(x2! - x1!, y2! - y1!);
    rows.push({ classIndex: classes[row]!, ignored: ignore[row]! || side < LEAST_SIDE });
  }
  return {
    boxes: xyxy(corners),
    classes: rows.map(({ classIndex }) => classIndex),
    ignore: rows.map(({ ignored }) => ignored),
  };
}
