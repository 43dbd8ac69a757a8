/** `model` for detection: what all heads share, and what each has of its own. */
import { z } from 'zod';
import { backbone, weights } from './weights.js';

const common = { backbone, ...weights };

const ssdlite = z.strictObject({
  head: z
    .literal('ssdlite')
    .optional() // so that the union takes a recipe without a head for this one
    .default('ssdlite')
    .describe('SSD with depthwise convolutions in neck and head (Sandler et al. 2018, arXiv:1801.04381, §6.2).'),
  ...common,
  classLoss: z
    .enum(['sigmoid', 'softmax'])
    .default('softmax')
    .describe(
      '`sigmoid`: one yes-or-no output for each class, focal loss. `softmax`: the classes and a background compete, hard negatives are mined.',
    ),
  lowestLevelAnchors: z
    .literal([3, 6])
    .default(3)
    .describe('Anchors per cell of the finest feature level; the other levels have 6.'),
});

/** Told apart by `head`; each head's own options stand in one object here, and nowhere else. */
export const detector = z.discriminatedUnion('head', [ssdlite]);
