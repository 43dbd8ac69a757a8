/** Kinds of values that options share. */
import { z } from 'zod';

export const count = z.int().min(1);
export const fraction = z.number().min(0).max(1);
/** MobileNet's coarsest tap has stride 32, so a smaller input has no cell left there; 4096 catches slips of the finger. */
const pixels = z.int().min(32).max(4096);
export const names = z.array(z.string().min(1));

export const size = z
  .union([pixels, z.tuple([pixels, pixels])])
  .transform((size): [height: number, width: number] => (typeof size === 'number' ? [size, size] : size));

/** Resizing by the shorter side, for what learns from images of several shapes. */
export const sizeRange = z
  .strictObject({
    min: pixels.describe(
      'Pixels of the shorter side: images are resized to it, unless the longer side would come to more than `max`.',
    ),
    max: pixels.describe('Most pixels of the longer side.'),
    buckets: z
      .int()
      .min(1)
      .max(16)
      .default(4)
      .describe(
        'Shapes of batches. An image joins the one that it fills most, and is padded to it; each shape is compiled by itself, when it first comes. 1: a square of `max`; 2: `min` × `max`, lying and standing; 4, 6 and 8 add 4:3, 3:2 and 16:9; an odd number adds a square of `min`.',
      ),
  })
  .refine(({ min, max }) => min <= max, { message: '"min" is more than "max"' });

/** What every `size` takes. */
export const expectedSize = 'a whole number of pixels from 32 to 4096, or [height, width]';
