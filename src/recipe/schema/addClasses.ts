/** `addClasses`: options for a model that learns classes in addition to those it has. */
import { z } from 'zod';
import { headsThat } from '../../tasks/detection/detectors.js';
import { replayImages } from './labelledData.js';
import { replayObjects } from './objectData.js';
import { fraction } from '../../optionValues.js';

const common = {
  share: z
    .number()
    .min(0)
    .lt(1)
    .default(0.25)
    .describe(
      'Share of old images in each batch; at least one image is old and one is new. With 0 they are only scored: in our tests a classifier then predicted new classes for all old images, even with `distill`.',
    )
    .meta({ example: 0.5, when: 'Raise it if too much of the old classes is forgotten.' }),
  distill: z
    .number()
    .min(0)
    .default(1)
    .describe(
      'Weight of the distillation loss, which keeps the outputs for the old classes close to those of the old model; 0 for none. For a detector, freeze every BatchNorm with it (`train.freeze.stages`): otherwise it was worse than no distillation in our tests.',
    )
    .meta({ example: 0.5, when: 'Lower it if the new classes are learned too slowly.' }),
};

const block =
  'Keeps the classes of `model.weights`, and learns those of `data` in addition. Without it, the model only learns the classes of `data`.';

export const addObjectClasses = z
  .strictObject({
    replay: replayObjects,
    ...common,
    ignoreAbove: fraction
      .default(0.3)
      .describe(
        'Score of the old model from which a place without an annotation is not learned as background, so that new images need no boxes of old classes. 1 learns all such places as background, which is right if old classes are annotated, too.',
      )
      .meta({ example: 1 }),
  })
  .optional()
  .describe(
    `${block} Distillation after Shmelkov et al. 2017 (arXiv:1708.06977), on the 64 anchors of each image to which the old model gives the highest scores. \`model.head\` must be ${headsThat((head) => head.keepsOldClasses === true)}.`,
  );

export const addImageClasses = z
  .strictObject({
    replay: replayImages,
    ...common,
    temperature: z
      .number()
      .min(1)
      .default(2)
      .describe(
        'Divisor of the logits of both models before they are compared: the higher it is, the more the less probable classes count.',
      )
      .meta({ example: 4, when: 'Raise it if the old model is nearly certain of every image.' }),
  })
  .optional()
  .describe(`${block} Distillation after Li & Hoiem 2016 (arXiv:1606.09282).`);
