import { z } from 'zod';
import { count } from '../../../../optionValues.js';
import type { HeadOptions } from '../../defineDetector.js';

export const options = z.strictObject({
  boxesPerCell: count
    .default(2)
    .describe('Boxes that each cell predicts; the one that overlaps the object best learns it.'),
  channels: count.default(512).describe("Channels of the head's two convolutions. The paper's last ones have 1024."),
  hidden: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Units of the hidden layer over the whole image, 4096 in the paper; 0 reads each cell by a 1×1 convolution instead, with a hundredth of the parameters.',
    ),
});

export type YoloV1Options = HeadOptions<typeof options>;
