/** `model`, `train` and `evaluate` for scene text. */
import { z } from 'zod';
import { bestBy } from './evaluate.js';
import { backbone } from './backbone.js';
import { count, fraction } from './values.js';
import { weights } from './weights.js';

const lite = z.strictObject({
  head: z
    .literal('craft-lite')
    .optional() // so that the union takes a recipe without a head for this one
    .default('craft-lite')
    .describe("CRAFT's maps by a slim decoder, on any backbone."),
  backbone,
  ...weights,
});

const craft = z.strictObject({
  head: z.literal('craft').describe('CRAFT as published (Baek et al. 2019, arXiv:1904.01941), on VGG16-BN.'),
  backbone: z.literal('vgg16_bn').default('vgg16_bn').describe('The one it is published with.'),
  ...weights,
});

export const textModel = z.discriminatedUnion('head', [lite, craft]);

export const textLoss = {
  loss: z
    .enum(['mse', 'hardNegatives'])
    .default('hardNegatives')
    .describe(
      '`mse`: mean square over all cells, the equation of the paper. `hardNegatives`: mean over the cells of characters plus mean over the hardest others.',
    ),
  negatives: z
    .number()
    .positive()
    .default(3)
    .describe('Hardest other cells per cell of a character, at least 500. Only with `train.loss: hardNegatives`.'),
};

export const textEvaluation = z.strictObject({
  protocol: z
    .enum(['iou', 'deteval'])
    .default('iou')
    .describe('`iou`: as ICDAR 2015 scores, IoU above 0.5. `deteval`: as ICDAR 2013 does.'),
  thresholds: z
    .strictObject({
      text: fraction.default(0.7).describe('Least region score somewhere in a word.'),
      lowText: fraction.default(0.4).describe('Region score above which a cell is text.'),
      link: fraction.default(0.4).describe('Affinity score above which a cell joins its neighbours.'),
      polygons: z.boolean().default(false).describe('Outlines that follow curved words, instead of quads.'),
    })
    .prefault({})
    .describe('Thresholds of the post-processing. They are fixed: nothing tunes them on the images that are scored.'),
  best: bestBy('hmean', 'precision', 'recall').default('hmean'),
  batch: count.default(1).describe('Images per call.'),
});
