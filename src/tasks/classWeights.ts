/** `train.classWeights`, for detection and classification. */
import { z } from 'zod';

export const classWeights = z
  .union([z.literal(false), z.literal('balanced'), z.record(z.string(), z.number().positive())])
  .default(false)
  .meta({
    description:
      "Weights of the classes in the training loss, on images or matched anchors of the class: by the category's name (others 1), or `balanced`: the inverse of the effective number (1 − 0.999ⁿ)/0.001 of a class's n objects (Cui et al. 2019, arXiv:1901.05555), with mean 1 over all objects. The validation loss is without them.",
    expects: 'false, or balanced, or a map of category names to numbers above 0',
  });
