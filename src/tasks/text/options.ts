/** Options of the text detectors. */
import { z } from 'zod';
import { CRAFT_BACKBONE } from '../../models/text/craft.js';
import { fraction } from '../../optionValues.js';

/** `model.head`. */
export const textHeads = {
  'craft-lite': z
    .literal('craft-lite')
    .optional() // so that the union takes a recipe without a head for this one
    .default('craft-lite')
    .describe("CRAFT's maps by a slim decoder, on any backbone."),
  craft: z.literal('craft').describe('CRAFT as published (Baek et al. 2019, arXiv:1904.01941), on VGG16-BN.'),
};

/** `model.backbone` of CRAFT as published. */
export const craftBackbone = z
  .literal(CRAFT_BACKBONE)
  .default(CRAFT_BACKBONE)
  .describe('The one it is published with.');

/** `train`. */
export const textTraining = {
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

/** `evaluate.thresholds`. */
export const thresholds = z
  .strictObject({
    text: fraction.default(0.7).describe('Least region score somewhere in a word.'),
    lowText: fraction.default(0.4).describe('Region score above which a cell is text.'),
    link: fraction.default(0.4).describe('Affinity score above which a cell joins its neighbours.'),
    polygons: z.boolean().default(false).describe('Outlines that follow curved words, instead of quads.'),
  })
  .prefault({})
  .describe('Thresholds of the post-processing. They are fixed: nothing tunes them on the images that are scored.');
