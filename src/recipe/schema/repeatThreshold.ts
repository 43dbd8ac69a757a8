/** `data.repeatThreshold`: images of rare categories are seen more often. */
import { z } from 'zod';

export const repeatThreshold = z.number().positive().max(1).nullable().default(null).meta({
  description:
    'Repeat-factor sampling (Gupta et al. 2019, arXiv:1908.03195): a category on a share f of the training images, smaller than this t, is seen √(t/f) times as often, an image as often as its rarest category asks for. 0.001 is that of LVIS; with few categories 0.1 or so. `null`: every image once an epoch.',
  expects: 'a number above 0, at most 1, or null',
});
