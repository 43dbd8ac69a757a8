/** Options of classifiers. */
import { z } from 'zod';
import { classWeights } from '../classWeights.js';

const share = z.number().min(0).lt(1).default(0);

/** `model`. */
export const classifierOptions = {
  dropout: share
    .describe(
      'Share of the pooled features that training sets to 0 before the last layer. Raise it when the loss on the training part is much lower than on the validation part.',
    )
    .meta({ example: 0.2 }),
  stochasticDepth: share
    .describe(
      'Share of the images for which training skips the last residual block; for the blocks before it the share falls linearly to 0 at the first (Huang et al. 2016, arXiv:1603.09382). Raise it, like `dropout`, against overfitting.',
    )
    .meta({ example: 0.1 }),
};

/** `train`. */
export const classTraining = {
  classWeights,
  labelSmoothing: share
    .describe(
      'Share of the target that is spread evenly over all classes in training (Szegedy et al. 2016, arXiv:1512.00567); the validation loss does not have it. Raise it when the classifier is too sure of itself, or some labels are wrong.',
    )
    .meta({ example: 0.1 }),
};
