/** Options of `train` for the loss of classifiers. */
import { z } from 'zod';
import { classWeights } from './imbalance.js';

export const classLoss = {
  classWeights,
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Share of the target that is spread over all classes (Szegedy et al. 2016, arXiv:1512.00567); the validation loss is without it.',
    ),
};
