/** Options for categories of which there are few: seen more often, or weighing more. */
import { z } from 'zod';

export const repeatThreshold = z.number().positive().max(1).nullable().default(null).meta({
  description:
    'Repeat-factor sampling (Gupta et al. 2019, arXiv:1908.03195): a category on a share f of the training images, smaller than this t, is seen √(t/f) times as often, an image as often as its rarest category asks for. 0.001 is that of LVIS; with few categories 0.1 or so. `null`: every image once an epoch.',
  expects: 'a number above 0, at most 1, or null',
});

export const classWeights = z
  .union([z.literal(false), z.literal('balanced'), z.record(z.string(), z.number().positive())])
  .default(false)
  .meta({
    description:
      "Weights of the classes in the training loss, on images or matched anchors of the class: by the category's name (others 1), or `balanced`: the inverse of the effective number (1 − 0.999ⁿ)/0.001 of a class's n objects (Cui et al. 2019, arXiv:1901.05555), with mean 1 over all objects. The validation loss is without them.",
    expects: 'false, or balanced, or a map of category names to numbers above 0',
  });
