/** `model` for classification. */
import { z } from 'zod';
import { backbone } from './backbone.js';
import { weights } from './weights.js';

export const classifier = z.strictObject({
  backbone,
  ...weights,
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of the pooled features that are dropped before the last layer, in training.'),
  stochasticDepth: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Share of the images for which the last residual block is skipped in training; it rises linearly from 0 at the first (Huang et al. 2016, arXiv:1603.09382).',
    ),
});
