import { z } from 'zod';
import { count } from '../../../../optionValues.js';
import type { HeadOptions } from '../../defineDetector.js';

export const options = z.strictObject({
  channels: count
    .default(64)
    .describe("Channels of the pyramid's levels and of the head. Raise it for many classes or for heavy backbones.")
    .meta({ example: 128 }),
  pointsPerObject: count
    .default(10)
    .describe(
      'Points that learn each object in the branch that only training uses, best first. Lower it where many small objects lie close together.',
    )
    .meta({ example: 5 }),
});

export type NmsFreeOptions = HeadOptions<typeof options>;
