/** `addClasses`: a model learns classes besides those it has. */
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
      'Share of old images in each batch, at least one of them and one new; 0: they are only scored. Without any a classifier called every old image new, distilled or not.',
    ),
  distill: z
    .number()
    .min(0)
    .default(1)
    .describe(
      "Weight of the loss that holds the old classes' outputs against those of the old model; 0 for none. For a detector freeze every BatchNorm with it (`train.freeze.stages`): otherwise it was worse than none.",
    ),
};

const block =
  'Keep the classes of `model.weights`, and learn those of `data` besides. Without it: the classes of `data` alone.';

export const addObjectClasses = z
  .strictObject({
    replay: replayObjects,
    ...common,
    ignoreAbove: fraction
      .default(0.3)
      .describe(
        'Where the old model scores an object this high, and nothing is annotated, the place is not learnt as background: new images need no boxes of old classes. 1 for nowhere.',
      ),
  })
  .optional()
  .describe(
    `${block} Distillation after Shmelkov et al. 2017 (arXiv:1708.06977), on the 64 anchors of each image that the old model likes best. With \`model.head: ${headsThat((head) => head.keepsOldClasses === true)}\`.`,
  );

export const addImageClasses = z
  .strictObject({
    replay: replayImages,
    ...common,
    temperature: z
      .number()
      .min(1)
      .default(2)
      .describe('Divides the logits of both models before they are compared: the higher, the more small ones count.'),
  })
  .optional()
  .describe(`${block} Distillation after Li & Hoiem 2016 (arXiv:1606.09282).`);
