import { byKind } from '../../sample.js';
import type { BoxAugment } from './augment.js';
import type { TextAugment } from './augmentText.js';
import type { WholeImageAugment } from './augmentWhole.js';

/** Random changes to the training images of a run, by the kind of the images. */
export type Augment = BoxAugment | TextAugment | WholeImageAugment;

/** Whether an image has the same pixels in every epoch, apart from a left-right flip. */
export const keepsPixels = (augment: Augment): boolean =>
  byKind(augment, {
    boxes: ({ photometric, iouCrop, scale, expand = 0, blur = 0, mosaic = 0, mixup = 0, copyPaste = 0, cutout = 0 }) =>
      !photometric && !iouCrop && !scale && expand + blur + mosaic + mixup + copyPaste + cutout === 0,
    text: () => false, // every epoch has another crop
    wholeImage: ({ cropArea, colour, randAugment, cutout, mixup, cutmix }) =>
      !cropArea && !randAugment && colour + cutout + mixup + cutmix === 0,
  });
