import { z } from 'zod';
import type { HeadOptions } from '../../defineDetector.js';
import { boxLossOption, pyramid } from '../../options.js';

export const options = z.strictObject({
  ...pyramid,
  anchorScale: z
    .number()
    .positive()
    .default(4)
    .describe(
      'Side of the smallest square anchor of a level, in strides: 4 is 32 pixels at stride 8. Lower it for small objects; `finetune anchors` finds the best value.',
    )
    .meta({ example: 2.83 }),
  boxLoss: boxLossOption('l1'),
});

export type RetinaNetOptions = HeadOptions<typeof options>;
