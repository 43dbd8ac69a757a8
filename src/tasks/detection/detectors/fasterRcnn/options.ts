import { z } from 'zod';
import { count } from '../../../../optionValues.js';
import type { HeadOptions } from '../../defineDetector.js';
import { boxLossOption, pyramid } from '../../options.js';

export const options = z.strictObject({
  ...pyramid,
  anchorScale: z
    .number()
    .positive()
    .default(8)
    .describe("Side of a level's square anchor, in strides: 8 is 32 pixels at stride 4. Less for smaller objects."),
  boxLoss: boxLossOption('smoothL1').describe(
    'As with `head: retinanet`, for the second stage; proposals learn by `smoothL1`.',
  ),
  proposals: count
    .default(1000)
    .describe('Most proposals of an image that the second stage looks at; training chooses from twice as many.'),
  sampledBoxes: count
    .default(512)
    .describe('Proposals of an image that the second stage learns from, a quarter of them positive.'),
  sampling: z
    .enum(['random', 'iouBalanced'])
    .default('random')
    .describe('Which negatives it learns from: any, or evenly over their overlap with objects (Libra R-CNN, §3.1).'),
  units: count.default(1024).describe("Units of the second stage's two hidden layers."),
});

export type FasterRcnnOptions = HeadOptions<typeof options>;
