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

/** What every `size` takes. */
export const expectedSize = 'a whole number of pixels from 32 to 4096, or [height, width]';
