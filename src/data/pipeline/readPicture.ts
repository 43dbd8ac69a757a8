import { FinetuneError } from '../../errors.js';
import type { RandomStream } from '../../random.js';
import { frameImage, placementOf, type FrameOptions } from '../image/frame.js';
import { decodeImage, readImageSize } from '../image/image.js';
import type { Annotation } from '../sample.js';
import type { Augmentation } from './augment/augment.js';
import type { Augment } from './augment/kinds.js';

export interface SampleOptions extends Pick<FrameOptions, 'size' | 'resize' | 'limits' | 'cropFraction'> {
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  /** Random changes, drawn from `random`; of the annotation's kind. False or absent for none. */
  readonly augment?: Augment | false;
  readonly random?: RandomStream;
  /** Compare the annotation's width and height with the image's header first; `once`: unless that was done before. */
  readonly checkSize?: boolean | 'once';
  /** Whether the caller already has what it would compute from the pixels: the picture is then left empty. */
  readonly isKnown?: ((flipped: boolean) => boolean) | undefined;
}

/** Read one image at the input's size, changed as planned. The picture is decoded, cropped and resized off the main
 *  thread in one call, which is made before this function returns its promise. Returns what samples of every kind have,
 *  and the frame.
 *  Throws E_IMAGE_MISSING, E_IMAGE_DECODE, or E_IMAGE_SIZE if the annotation and the image disagree about the size. */
export async function readPicture(
  annotation: Annotation,
  plan: Augmentation | undefined,
  { checkSize = false, isKnown, interpolation, size, resize, limits, cropFraction }: SampleOptions,
) {
  const { patch, flip = false, distortion, blur } = plan ?? {};
  const frame = frameImage(annotation, {
    size,
    limits,
    flip,
    ...(resize && { resize }),
    ...(cropFraction !== undefined && { cropFraction }),
    ...(patch && { patch }),
  });
  // Both start at once, but the size is checked first, since a wrong size can make the crop itself fail.
  const pixels = isKnown?.(flip)
    ? NO_PICTURE
    : decodeImage(annotation.file, frame, { interpolation, distortion, blur });
  if (isDue(annotation, checkSize)) {
    pixels.catch(() => undefined);
    await assertSize(annotation);
  }
  const decoded = await pixels;
  const common = {
    imageId: annotation.imageId,
    file: annotation.file,
    picture: plan?.retouch ? plan.retouch(decoded) : decoded,
    flipped: flip,
    originalWidth: annotation.width,
    originalHeight: annotation.height,
    placement: placementOf(frame),
  };
  return { common, frame };
}

const NO_PICTURE = Promise.resolve({ data: new Uint8Array(0), width: 0, height: 0 });

/** Annotations whose size agreed with their image's header. */
const sizeChecked = new WeakSet<Annotation>();

export const isDue = (annotation: Annotation, checkSize: boolean | 'once'): boolean =>
  checkSize === 'once' ? !sizeChecked.has(annotation) : checkSize;

/** Throws E_IMAGE_SIZE if the image's header has another size than the annotation. */
export async function assertSize(annotation: Annotation): Promise<void> {
  const { file, width, height } = annotation;
  const actual = await readImageSize(file);
  if (actual.width === width && actual.height === height) {
    sizeChecked.add(annotation);
    return;
  }
  const turned = actual.width === height && actual.height === width;
  throw new FinetuneError({
    code: 'E_IMAGE_SIZE',
    message: `the image is ${actual.width}x${actual.height}, but its annotation says ${width}x${height}`,
    where: { file },
    fix: turned
      ? 'its EXIF orientation rotates it: annotate the upright image, or remove the orientation if the boxes were drawn without it'
      : 'the boxes belong to another version of the image; set data.brokenImages: drop to leave it out (the report counts it)',
  });
}
