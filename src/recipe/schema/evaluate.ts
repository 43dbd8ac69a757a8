/** `evaluate`, and `report`. */
import { z } from 'zod';
import { count } from '../../optionValues.js';
import { selection } from '../../tasks/detection/options.js';
import { thresholds } from '../../tasks/text/options.js';

/** The option for choosing the best epoch: by one of the numbers of the evaluation, or by the loss. */
export const bestBy = <const Names extends readonly [string, ...string[]]>(...numbers: Names) =>
  z
    .enum([...numbers, 'loss'])
    .describe(
      'The number of the evaluation by which the best epoch is chosen, and which `plateau` and `earlyStop` watch: the highest is best, for `loss` the lowest. Choose the one that matters where the model is used.',
    );

/** More images in one call are no faster, and their pixels do not fit into memory. */
const MOST_IMAGES = 1024;

const batch = count
  .max(MOST_IMAGES)
  .default(8)
  .describe('Number of images that are evaluated in one call. Lower it if memory is short.')
  .meta({ example: 4 });

export const boxEvaluation = z.strictObject({
  ...selection,
  best: bestBy('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100').default('AP'),
  batch,
});

export const classEvaluation = z.strictObject({ best: bestBy('top1', 'top5', 'meanPerClass').default('top1'), batch });

export const textEvaluation = z.strictObject({
  protocol: z
    .enum(['iou', 'deteval'])
    .default('iou')
    .describe(
      'Protocol of the score: `iou` is that of ICDAR 2015 (IoU above 0.5), `deteval` that of ICDAR 2013. Use the one of the results that you compare with.',
    ),
  thresholds,
  best: bestBy('hmean', 'precision', 'recall').default('hmean'),
  batch: count
    .max(MOST_IMAGES)
    .default(1)
    .describe('Number of images that are evaluated in one call. Lower it if memory is short.')
    .meta({ example: 2 }),
});

export const report = z.strictObject({
  images: z
    .int()
    .min(0)
    .default(24)
    .describe(
      'Number of images that the report shows with their predictions, worst first. Each adds a picture to the file.',
    )
    .meta({ example: 100, when: 'Raise it to look at more of them.' }),
});
