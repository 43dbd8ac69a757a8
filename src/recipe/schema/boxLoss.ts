/** Options of `train` for the losses of detectors. */
import { z } from 'zod';
import { classWeights } from './imbalance.js';
import { fraction } from './values.js';

export const boxLoss = {
  classWeights,
  hardNegatives: z
    .number()
    .positive()
    .default(3)
    .describe(
      'Background anchors per matched anchor that enter the loss, hardest first. Only with `model.classLoss: softmax`.',
    ),
  focal: z
    .strictObject({
      alpha: fraction.default(0.25).describe('Weight of the positive anchors; the negative ones weigh 1 − alpha.'),
      gamma: z
        .number()
        .refine((gamma) => gamma === 0 || gamma >= 1) // between them the gradient is infinite at p = 1
        .default(2)
        .meta({
          description: 'How much easy anchors are played down; 0 is plain cross-entropy.',
          expects: '0, or a number, at least 1',
        }),
    })
    .prefault({})
    .describe('Focal loss (Lin et al. 2017, arXiv:1708.02002). Only with `model.classLoss: sigmoid`.'),
};
