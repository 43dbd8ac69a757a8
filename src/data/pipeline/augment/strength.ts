import type { BoxAugment } from './augment.js';

/** The augmentation of one epoch (counted from 0): all probabilities and ranges except the flip's are scaled by the
 *  epoch's strength, and the last epochs have neither mosaic nor mixup, so that training ends on natural images. Small
 *  models sometimes need less augmentation: `from: 1, to: 0.3` weakens it during training. */
export function augmentAt(options: BoxAugment, epoch: number, epochs: number): BoxAugment {
  const { closeMosaic = 0, strength = { from: 1, to: 1 }, ...full } = options;
  const way = epochs > 1 ? Math.min(epoch / (epochs - 1), 1) : 1;
  const share = strength.from + (strength.to - strength.from) * way;
  const { photometric = false, expand = 0, iouCrop = false, scale = false, blur = 0 } = full;
  const { mosaic = 0, mixup = 0, copyPaste = 0, cutout = 0 } = full;
  const closed = epoch >= epochs - closeMosaic;
  return {
    ...full,
    photometric: Number(photometric) * share,
    expand: expand * share,
    iouCrop: iouCrop === true && share === 1 ? true : Number(iouCrop) * share,
    scale: scale && [scale[0] ** share, scale[1] ** share],
    blur: blur * share,
    mosaic: closed ? 0 : mosaic * share,
    mixup: closed ? 0 : mixup * share,
    copyPaste: copyPaste * share,
    cutout: cutout * share,
  };
}
