/** Kinds of values that options share. */
import { z } from 'zod';

export const count = z.int().min(1);
export const fraction = z.number().min(0).max(1);
/** The coarsest feature map of MobileNet has stride 32, so a smaller input would leave it without a cell; the maximum
 *  catches typing errors. */
const pixels = z.int().min(32).max(4096);
export const names = z.array(z.string().min(1));

export const size = z
  .union([pixels, z.tuple([pixels, pixels])])
  .transform((size): [height: number, width: number] => (typeof size === 'number' ? [size, size] : size));

/** Resizing by the shorter side, for models that learn from images of several shapes. */
export const sizeRange = z
  .strictObject({
    min: pixels
      .describe(
        'Length in pixels to which the shorter side is resized, unless the longer side would exceed `max`. Raise it when objects are small.',
      )
      .meta({ example: 480 }),
    max: pixels.describe('Most pixels of the longer side. Lower it when memory runs out.').meta({ example: 800 }),
    buckets: z
      .int()
      .min(1)
      .max(16)
      .default(4)
      .describe(
        'Number of shapes of batches. Each image goes to the shape that it fills best, and is padded to it. 1 is a square of `max`; 2 are `min` × `max` in landscape and portrait; 4, 6 and 8 add 4:3, 3:2 and 16:9; an odd number adds a square of `min`. Raise it when images have many aspect ratios, so that less is padded; each shape is compiled separately when it first occurs.',
      )
      .meta({ example: 6 }),
  })
  .refine(({ min, max }) => min <= max, { message: '"min" is greater than "max"' });

/** The values that every `size` accepts, in words. */
export const expectedSize = 'a whole number of pixels from 32 to 4096, or [height, width]';
