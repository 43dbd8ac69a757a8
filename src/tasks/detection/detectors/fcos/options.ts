import { z } from 'zod';
import type { HeadOptions } from '../../defineDetector.js';
import { pyramid } from '../../options.js';

export const options = z.strictObject({
  ...pyramid,
  centerRadius: z
    .number()
    .positive()
    .default(1.5)
    .describe(
      "How far from an object's centre, along both axes, points still learn it, in strides of their level. Raise it to give each object more points; those near its border get a low centerness.",
    )
    .meta({ example: 2.5 }),
});

export type FcosOptions = HeadOptions<typeof options>;
