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
    .describe(
      'Side of the square anchor of a level, in strides: 8 is 32 pixels at stride 4. Lower it for small objects; `finetune anchors` finds the best value.',
    )
    .meta({ example: 5.66 }),
  boxLoss: boxLossOption('smoothL1').describe(
    'How the boxes of the second stage are compared with the truth, as with `head: retinanet`; proposals are learnt with `smoothL1`. Try `giou` or `diou` when boxes are found but not tight.',
  ),
  proposals: count
    .default(1000)
    .describe(
      'Most proposals of an image that the second stage classifies; training samples from twice as many. Lower it for speed, raise it when images have very many objects.',
    )
    .meta({ example: 300 }),
  sampledBoxes: count
    .default(512)
    .describe(
      'Proposals of an image that the second stage learns from, at most a quarter of them objects. Lower it to save memory and time.',
    )
    .meta({ example: 128 }),
  sampling: z
    .enum(['random', 'iouBalanced'])
    .default('random')
    .describe(
      'Which background proposals the second stage learns from: `random` ones, or with `iouBalanced` as many from each range of overlap with the objects (Libra R-CNN, arXiv:1904.02701, §3.1). Try the latter when the background near objects is taken for objects.',
    ),
  units: count
    .default(1024)
    .describe('Units of the two hidden layers of the second stage. Lower it for a smaller detector.')
    .meta({ example: 256 }),
});

export type FasterRcnnOptions = HeadOptions<typeof options>;
