/** `model` for detection. */
import { z } from 'zod';
import { backbone, weights } from './weights.js';

export const detector = z.strictObject({
  backbone,
  head: z.enum(['ssdlite']).default('ssdlite').describe('The detector on top of it.'),
  ...weights,
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
