/** Options of classifiers. */
import { z } from 'zod';
import { classWeights } from '../classWeights.js';

const share = z.number().min(0).lt(1).default(0);

/** `model`. */
export const classifierOptions = {
  dropout: share.describe('Share of the pooled features that are dropped before the last layer, in training.'),
  stochasticDepth: share.describe(
    'Share of the images for which the last residual block is skipped in training; it rises linearly from 0 at the first (Huang et al. 2016, arXiv:1603.09382).',
  ),
};

/** `train`. */
export const classTraining = {
  classWeights,
  labelSmoothing: share.describe(
    'Share of the target that is spread over all classes (Szegedy et al. 2016, arXiv:1512.00567); the validation loss is without it.',
  ),
};
