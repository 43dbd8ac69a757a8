import type { RandomStream } from '../../random.js';
import { frameImage, placementOf, type FrameOptions } from '../image/frame.js';
import { assertSize, type SizeCheck } from '../image/checkSize.js';
import { decodeImage } from '../image/image.js';
import type { Annotation } from '../sample.js';
import type { Augmentation } from './augment/augment.js';
import type { Augment } from './augment/kinds.js';

export interface SampleOptions extends Pick<FrameOptions, 'size' | 'resize' | 'limits' | 'cropFraction'> {
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  /** Random changes, drawn from `random`; of the annotation's kind. False or absent for none. */
  readonly augment?: Augment | false;
  readonly random?: RandomStream;
  /** When the annotation's width and height are compared with the image's header. Default: never. */
  readonly checkSize?: SizeCheck;
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
    view: annotation.view,
    ...(resize && { resize }),
    ...(cropFraction !== undefined && { cropFraction }),
    ...(patch && { patch }),
  });
  // Both start at once, but the size is checked first, since a wrong size can make the crop itself fail.
  const pixels = isKnown?.(flip)
    ? NO_PICTURE
    : decodeImage(annotation.file, frame, { interpolation, distortion, blur, shrinkOnLoad: plan !== undefined });
  pixels.catch(() => undefined); // it is thrown below, after the size
  await assertSize(annotation, checkSize);
  const decoded = await pixels;
  const common = {
    imageId: annotation.imageId,
    file: annotation.file,
    picture: plan?.retouch ? plan.retouch(decoded) : decoded,
    flipped: flip,
    originalWidth: annotation.width,
    originalHeight: annotation.height,
    view: annotation.view,
    placement: placementOf(frame),
  };
  return { common, frame };
}

const NO_PICTURE = Promise.resolve({ data: new Uint8Array(0), width: 0, height: 0 });
