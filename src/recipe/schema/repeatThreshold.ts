/** `data.repeatThreshold`: images of rare categories are seen more often. */
import { z } from 'zod';

export const repeatThreshold = z.number().positive().max(1).nullable().default(null).meta({
  description:
    'Threshold t of repeat-factor sampling (Gupta et al. 2019, arXiv:1908.03195), which shows rare categories more often: a category on a share f < t of the training images is seen √(t/f) times as often, and an image as often as its rarest category needs. Set it if some categories are much rarer than others: 0.001 is used for LVIS, 0.1 suits few categories. `null` shows every image once in an epoch.',
  expects: 'a number above 0, at most 1, or null',
  example: 0.1,
});
