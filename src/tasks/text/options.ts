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
    .describe('The score maps of CRAFT, predicted by a slim decoder on any backbone.'),
  craft: z
    .literal('craft')
    .describe('CRAFT as published, on VGG16-BN; large and slow (Baek et al. 2019, arXiv:1904.01941).'),
};

/** `model.backbone` of CRAFT as published. */
export const craftBackbone = z
  .literal(CRAFT_BACKBONE)
  .default(CRAFT_BACKBONE)
  .describe('The backbone that CRAFT is published with; it has no other.');

/** `train`. */
export const textTraining = {
  loss: z
    .enum(['mse', 'hardNegatives'])
    .default('hardNegatives')
    .describe(
      'The loss of the score maps. `mse` is the mean square over all cells, as in the equation of the paper. `hardNegatives` is the mean over the cells of characters plus the mean over the hardest other cells. Choose `mse` to reproduce the paper; a few characters then count little beside the background.',
    ),
  negatives: z
    .number()
    .positive()
    .default(3)
    .describe(
      'Number of hardest other cells that enter the loss for each cell of a character; an image has at least 500 of them. Only with `train.loss: hardNegatives`. Raise it when the background is taken for text.',
    )
    .meta({ example: 5 }),
};

/** `evaluate.thresholds`. */
export const thresholds = z
  .strictObject({
    text: fraction
      .default(0.7)
      .describe('Least value of the highest region score in a word. Lower it when faint words are missed.')
      .meta({ example: 0.6 }),
    lowText: fraction
      .default(0.4)
      .describe('Region score above which a cell is text. Lower it when words are cut off or too narrow.')
      .meta({ example: 0.3 }),
    link: fraction
      .default(0.4)
      .describe(
        'Affinity score above which a cell joins its neighbours to one word. Raise it when words run together, lower it when they fall apart.',
      )
      .meta({ example: 0.3 }),
    polygons: z
      .boolean()
      .default(false)
      .describe('Whether curved words get outlines that follow them, instead of quads. Set it for curved text.'),
  })
  .prefault({})
  .describe(
    'Thresholds that turn score maps into words. They are fixed: nothing tunes them on the images that are scored. The report shows the scores with other values.',
  );
