import { z } from 'zod';
import { count } from '../../../../optionValues.js';
import type { HeadOptions } from '../../defineDetector.js';

export const options = z.strictObject({
  boxesPerCell: count
    .default(2)
    .describe(
      'Boxes that each cell predicts; the one that overlaps an object best learns it. Raise it when the shapes of objects differ much.',
    )
    .meta({ example: 3 }),
  channels: count
    .default(512)
    .describe(
      'Channels of the two convolutions of the head; the last ones of the paper have 1024. Lower it for a smaller detector.',
    )
    .meta({ example: 1024 }),
  hidden: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Units of a hidden layer over the whole image. The paper has 4096; with 0 a 1×1 convolution predicts each cell, with a hundredth of the parameters. Set it to reproduce the paper.',
    )
    .meta({ example: 4096 }),
});

export type YoloV1Options = HeadOptions<typeof options>;
