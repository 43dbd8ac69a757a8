/** `train.classWeights`, for detection and classification. */
import { z } from 'zod';

export const classWeights = z
  .union([z.literal(false), z.literal('balanced'), z.record(z.string(), z.number().positive())])
  .default(false)
  .meta({
    description:
      'Weights of the classes in the training loss, for the images of a class or for the anchors that match its objects. A map gives them by the name of the category; categories that it does not name weigh 1. With `balanced` a class of n objects weighs the inverse of its effective number, (1 − 0.999ⁿ)/0.001, scaled so that the mean over all objects is 1 (Cui et al. 2019, arXiv:1901.05555). The validation loss has no weights. Set it when rare or important classes are found too seldom.',
    example: { owl: 3 },
    expects: 'false, or balanced, or a map of category names to numbers above 0',
  });
